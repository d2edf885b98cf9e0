/** A module as the build gives it: its bytes, or compiled already where a host compiles no bytes at run time. */
export type WasmSource = () => Uint8Array<ArrayBuffer> | WebAssembly.Module

const modules = new WeakMap<WasmSource, WebAssembly.Module | undefined>()

/** The module, compiled once. @throws Error whatever the host throws that refuses */
export function moduleOf(wasm: WasmSource): WebAssembly.Module {
  const known = modules.get(wasm)
  if (known !== undefined) return known
  const source = wasm()
  const module = source instanceof Uint8Array ? new WebAssembly.Module(source) : source
  modules.set(wasm, module)
  return module
}

/** The same; undefined where the host has no WebAssembly, no SIMD, or forbids compiling at run time: it is asked once. */
export function compiled(wasm: WasmSource): WebAssembly.Module | undefined {
  if (!modules.has(wasm)) {
    try {
      moduleOf(wasm)
    } catch {
      modules.set(wasm, undefined)
    }
  }
  return modules.get(wasm)
}

/** Instances of modules over one memory, and what they export as one object. A module given twice is opened once. */
export function openModules<K>(parts: readonly WebAssembly.Module[], memory: WebAssembly.Memory): K {
  const kernels = {}
  for (const module of new Set(parts)) {
    Object.assign(kernels, new WebAssembly.Instance(module, { env: { memory } }).exports)
  }
  return kernels as K
}
