// Runs a module of a page; what it exports as a Worker has to answer requests, with a folder for its bucket.
import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

const BUCKET = {
  head: async (key) => ({ size: readFileSync(key).length }),
  get: async (key, { range: { offset, length } }) => {
    const bytes = readFileSync(key).subarray(offset, offset + length)
    return { arrayBuffer: async () => Uint8Array.from(bytes).buffer }
  },
}
const context = { waitUntil() {} }

const { default: worker } = await import(pathToFileURL(process.argv[2]).href)
if (worker?.fetch !== undefined) {
  // The first opens the index, the second finds it open.
  for (const body of [JSON.stringify({ query: [...query] }), JSON.stringify({ query: [...query] })]) {
    const request = new Request('https://example.com/', { method: 'POST', body })
    const response = await worker.fetch(request, { BUCKET }, context)
    const answer = await response.text()
    if (!response.ok) throw new Error(`the Worker answered ${response.status}: ${answer}`)
    if (JSON.parse(answer).ids.length !== 10) throw new Error(`10 results were expected, got ${answer}`)
  }
}
