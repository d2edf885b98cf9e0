#!/usr/bin/env node
import { createRequire } from 'node:module'

// commander is CommonJS and calls `require('node:events')`, which an ES module does not have; esbuild's stand-in looks for
// a global one. So it is put there first, and commander comes second.
globalThis.require ??= createRequire(import.meta.url)
const { run } = await import('./program.js')
await run()
