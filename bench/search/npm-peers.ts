import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Absent } from '../results.js'
import type { BinarySearch, OpenBinarySearch, Simsimd } from './small-peers.js'
import type { Usearch } from './usearch.js'

/** What is installed of the packages that the bench knows how to ask. None is a dependency. */
export interface NpmPeers {
  readonly usearch?: Usearch | undefined
  readonly simsimd?: Simsimd | undefined
  readonly edgevec?: OpenBinarySearch | undefined
  readonly versions: Readonly<Record<string, string>>
  readonly absent: Absent
}

export async function npmPeers(): Promise<NpmPeers> {
  const versions: Record<string, string> = {}
  const absent: Record<string, string> = {
    'hnswlib-wasm': 'not comparable: an approximate graph, for browsers only',
    'voy-search': 'not comparable: a k-d tree over embeddings in JSON',
  }
  // The name is a variable, so that no bundler looks for the package.
  const load = async <T>(name: string, open: (module: never) => T | Promise<T>): Promise<T | undefined> => {
    try {
      const opened = await open((await import(name)) as never)
      versions[name] = versionOf(name)
      return opened
    } catch (error) {
      const { code, message } = error as { code?: string; message: string }
      absent[name] = code === 'ERR_MODULE_NOT_FOUND' ? 'not installed' : message
      return undefined
    }
  }
  const usearch = await load('usearch', (module: Usearch) => module)
  const simsimd = await load('simsimd', (module: Simsimd) => module)
  const edgevec = await load('edgevec', openEdgevec)
  return { usearch, simsimd, edgevec, versions, absent }
}

interface EdgevecModule {
  initSync(source: { module: BufferSource }): unknown
  readonly EdgeVecConfig: new (dims: number) => { metric: string; indexType: number }
  readonly EdgeVec: new (
    config: unknown,
  ) => { insertBinary(code: Uint8Array): number; searchBinary(code: Uint8Array, k: number): { score: number }[] }
  readonly JsIndexType: { readonly Flat: number }
}

function openEdgevec({ initSync, EdgeVecConfig, EdgeVec, JsIndexType }: EdgevecModule): OpenBinarySearch {
  const require = createRequire(import.meta.url)
  const bytes = readFileSync(require.resolve('edgevec').replace(/edgevec\.js$/, 'edgevec_bg.wasm'))
  initSync({ module: bytes })
  return (codes, rowBytes): BinarySearch => {
    const config = new EdgeVecConfig(8 * rowBytes)
    config.metric = 'hamming'
    config.indexType = JsIndexType.Flat
    const index = new EdgeVec(config)
    for (let at = 0; at < codes.length; at += rowBytes) index.insertBinary(codes.subarray(at, at + rowBytes))
    return { search: (query, k) => index.searchBinary(query, k) }
  }
}

function versionOf(name: string): string {
  const require = createRequire(import.meta.url)
  for (const folder of require.resolve.paths(name) ?? []) {
    try {
      return (JSON.parse(readFileSync(`${folder}/${name}/package.json`, 'utf8')) as { version: string }).version
    } catch {
      // The next folder up.
    }
  }
  return 'unknown'
}
