// All kernels of the core in one module: `kernels.wasm`, for `init({ module })` and for hosts that compile no bytes.
export * from './encode'
export * from './search'
