/** What the build makes of a .wasm file: its bytes, or the module where the host has compiled it (`esbuild.wasm.mjs`). */
declare module '*.wasm' {
  const source: () => Uint8Array<ArrayBuffer> | WebAssembly.Module
  export default source
}
