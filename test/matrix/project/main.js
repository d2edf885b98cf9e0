import { readFile } from 'node:fs/promises'
import { init, runCore } from './core.js'
import { runPool } from './pool.js'

const core = runCore()
const pool = await runPool()
init({ module: new WebAssembly.Module(await readFile(new URL(import.meta.resolve('packvec/kernels.wasm')))) })
console.log(JSON.stringify({ core, pool, module: runCore() }))
