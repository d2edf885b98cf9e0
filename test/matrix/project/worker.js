import { runCore } from './core.js'

postMessage(runCore())
