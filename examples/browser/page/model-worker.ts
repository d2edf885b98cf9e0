import { env, type FeatureExtractionPipeline, pipeline } from '@huggingface/transformers'
import { fetchBytes } from './fetch-bytes.js'
import type { ModelAnswer, ModelRequest } from './model-protocol.js'

// Runs the model beside the page, so that typing never waits for it.

let extractor: FeatureExtractionPipeline | undefined

addEventListener('message', ({ data }: MessageEvent<ModelRequest>) => {
  if (data.kind === 'load') {
    load(data).catch((error: Error) => answer({ kind: 'failed', message: error.message }))
  } else {
    const { ticket, text } = data
    embed(ticket, text).catch((error: Error) => answer({ kind: 'failed', ticket, message: error.message }))
  }
})

async function load({ base, id, hosted }: ModelRequest & { kind: 'load' }): Promise<void> {
  // Files beside the page are "remote" ones too: what transformers.js calls local are paths, which have no sizes beforehand.
  env.allowLocalModels = false
  if (hosted) {
    env.remoteHost = new URL('models/', base).href
    env.remotePathTemplate = '{model}/'
  }
  // The service worker keeps what belongs to this site.
  env.useWasmCache = false
  const received = new Map<string, number>()
  const report = (file: string, bytes: number) => {
    received.set(file, bytes)
    answer({ kind: 'progress', bytes: [...received.values()].reduce((sum, value) => sum + value, 0) })
  }
  const runtime = 'ort-wasm-simd-threaded.wasm'
  const wasm = env.backends.onnx.wasm!
  wasm.wasmBinary = await fetchBytes(new URL(runtime, base).href, (bytes) => report(runtime, bytes))
  // Without this, transformers.js takes the loader of the runtime from another site; the bundle has it.
  wasm.wasmPaths = { wasm: new URL(runtime, base).href }
  // Threads need a cross-origin isolated page, which a static host does not give.
  wasm.numThreads = 1
  extractor = await pipeline('feature-extraction', id, {
    dtype: 'q8',
    device: 'wasm',
    progress_callback: (event) => {
      if (event.status === 'progress') report(event.file, event.loaded)
    },
  })
  // The first run compiles; the first question should not wait for it.
  await extractor('warm up', { pooling: 'mean', normalize: true })
  answer({ kind: 'ready' })
}

async function embed(ticket: number, text: string): Promise<void> {
  if (extractor === undefined) throw new Error('the model is not loaded')
  const start = performance.now()
  const output = await extractor(text, { pooling: 'mean', normalize: true })
  const vector = Float32Array.from(output.data as Float32Array)
  answer({ kind: 'vector', ticket, vector, ms: performance.now() - start })
}

function answer(message: ModelAnswer): void {
  postMessage(message)
}
