import { runCore } from './core.js'
import { runPool } from './pool.js'

runPool().then((pool) => console.log(JSON.stringify({ core: runCore(), pool })))
