// Stands in front of a Worker and counts what it does: bytes compiled, kernels instantiated, reads of the bucket.
import { env } from 'cloudflare:workers'
import worker from './index.js'

const counts = { compiled: 0, instances: 0, wasmBytes: 0, heads: 0, gets: 0 }
let slow = 0

const { Module, Instance, Memory } = WebAssembly
WebAssembly.Module = class extends Module {
  constructor(bytes) {
    counts.compiled++
    super(bytes)
  }
}
WebAssembly.Instance = class extends Instance {
  constructor(...args) {
    counts.instances++
    super(...args)
  }
}
WebAssembly.Memory = class extends Memory {
  constructor(...args) {
    super(...args)
    // Those that were let go of too.
    counts.wasmBytes += this.buffer.byteLength
  }
}

const bucket = env.FILE_URL === undefined ? env.BUCKET : bucketOf(env.FILE_URL)
env.BUCKET = {
  head(...args) {
    counts.heads++
    return bucket.head(...args)
  },
  async get(...args) {
    counts.gets++
    if (slow > 0) await new Promise((resolve) => setTimeout(resolve, slow))
    return bucket.get(...args)
  },
}

/** A bucket outside of this process, whose memory is measured. */
function bucketOf(url) {
  return {
    async head() {
      const { headers } = await fetch(url, { method: 'HEAD' })
      return { size: Number(headers.get('content-length')), etag: headers.get('etag') }
    },
    get: (_key, { range: { offset, length } }) =>
      fetch(url, { headers: { Range: `bytes=${offset}-${offset + length - 1}` } }),
  }
}

/** Nothing is compiled from bytes here at all. */
function compile() {
  try {
    return new Response(String(new Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0))))
  } catch (error) {
    return new Response(error.message)
  }
}

/**
 * Ends a request while the Worker is at work for it. The host then drops what belongs to the request, as Cloudflare does when a
 * client goes away (workerd by itself does not notice that).
 */
async function abandon(request, ...rest) {
  worker.fetch(request, ...rest)
  await new Promise((resolve) => setTimeout(resolve, 150))
  return new Response('abandoned')
}

export default {
  fetch(request, ...rest) {
    const { pathname, searchParams } = new URL(request.url)
    if (pathname === '/compile') return compile()
    if (pathname === '/slow') slow = Number(searchParams.get('ms'))
    if (pathname === '/slow' || pathname === '/observed') return Response.json(counts)
    return request.headers.has('X-Abandon') ? abandon(request, ...rest) : worker.fetch(request, ...rest)
  },
}
