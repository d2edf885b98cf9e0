import { backend } from 'packvec'
import { runCore } from './core.js'

// Anything that compiled bytes would be seen, whether the host lets it or not.
let compiled = 0
const { Module } = WebAssembly
WebAssembly.Module = class extends Module {
  constructor(bytes) {
    compiled++
    super(bytes)
  }
}

export default {
  fetch() {
    return Response.json({ core: runCore(), backend: backend(), compiled })
  },
}
