/** esbuild's binary loader and the test configuration give a .wasm file as its bytes. */
declare module '*.wasm' {
  const bytes: Uint8Array<ArrayBuffer>
  export default bytes
}
