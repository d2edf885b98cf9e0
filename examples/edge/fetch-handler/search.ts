// The same endpoint for hosts that take `export default { fetch }`: Deno Deploy and `deno serve`, Vercel functions, Bun.
import { openIndex } from 'packvec/storage'
import { searchEndpoint } from '../search-endpoint.ts'

/** A URL of a static host that answers ranges; in Deno, Node and Bun a path too. */
const location = process.env.INDEX ?? 'corpus.safetensors'

export default { fetch: searchEndpoint({ open: () => openIndex(location) }) }
