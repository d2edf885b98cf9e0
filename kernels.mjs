// Compiles assembly/ to build/. `kernels.wasm` is published whole, for hosts that are given one module; the bundles carry its two
// parts, so that encoding alone drags in no search. `kernels.debug.wasm` asserts.
import asc from 'assemblyscript/asc'

const MODULES = {
  'kernels.wasm': ['assembly/index.ts', '--target', 'release'],
  'kernels.debug.wasm': ['assembly/index.ts', '--target', 'debug'],
  'encode.wasm': ['assembly/encode.ts', '--target', 'release'],
  'search.wasm': ['assembly/search.ts', '--target', 'release'],
  'linear.wasm': ['assembly/linear.ts', '--target', 'release'],
}

for (const [name, options] of Object.entries(MODULES)) {
  const { error } = await asc.main([...options, '--outFile', `build/${name}`], { stderr: process.stderr })
  if (error) throw error
}
