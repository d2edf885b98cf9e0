import { runCore } from './core.js'

console.log(JSON.stringify({ core: runCore() }))
