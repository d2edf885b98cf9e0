// A Cloudflare Worker that searches an index in an R2 bucket: bits in memory, int8 of the candidates by range.
import { env, waitUntil } from 'cloudflare:workers'
import { openIndex } from 'packvec/storage'
import { searchEndpoint } from '../search-endpoint.ts'
import { r2Source } from './r2-source.ts'

async function open() {
  const signal = AbortSignal.timeout(20_000)
  const opening = r2Source(env.BUCKET, env.INDEX_KEY).then((source) => openIndex(source, { signal }))
  // The other requests of the isolate wait for it too: it goes on when the client of this one goes away (for 30 seconds).
  waitUntil(opening.catch(() => {}))
  return opening
}

/** A corpus embedded with the same model, by its `cls` vector (as sentence-transformers does), can be asked in words. */
async function embed(text: string): Promise<number[]> {
  const answer = await env.AI!.run('@cf/baai/bge-small-en-v1.5', { text, pooling: 'cls' })
  if (!('data' in answer) || answer.data?.[0] === undefined) throw new Error('the model gave no embedding')
  return answer.data[0]
}

export default { fetch: searchEndpoint({ open, embed: env.AI && embed }) } satisfies ExportedHandler
