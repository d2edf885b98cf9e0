import { createHash } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeFileAtomic } from '../files/atomic-file.js'

/** What a key is made of: arrays by their content, everything else by its JSON. */
export type KeyPart = ArrayBufferView | string | number | boolean | null | readonly unknown[]

/** Results on disk by the hash of all they depend on. */
export interface Cache {
  /** The stored value of these parts, or what `make` gives, which is stored. */
  get<T>(parts: readonly KeyPart[], make: () => T | Promise<T>): Promise<{ value: T; cached: boolean }>
}

/** First bytes of a file's one line; files of another version are never read. */
const FORMAT = 'packvec-evaluation-cache 1'

export const noCache: Cache = {
  get: async (_parts, make) => ({ value: await make(), cached: false }),
}

/**
 * A cache in a folder, which is made where it is missing. A file that is cut, altered or of another version counts as
 * missing. When the folder cannot be read or written, one warning says so and the work goes on without.
 */
export function openCache(folder: string, onWarning: (message: string) => void): Cache {
  let usable = true
  return {
    async get(parts, make) {
      const key = contentHash(parts)
      const path = join(folder, `${key}.json`)
      if (!usable) return { value: await make(), cached: false }
      const stored = await readEntry(path, key)
      if (stored !== undefined) return { value: stored.value as Awaited<ReturnType<typeof make>>, cached: true }
      const value = await make()
      try {
        await mkdir(folder, { recursive: true })
        await writeFileAtomic(path, [Buffer.from(entryText(key, value))])
      } catch (error) {
        usable = false
        const reason = error instanceof Error ? error.message : String(error)
        onWarning(`the cache folder ${folder} cannot be used, so nothing is kept: ${reason}`)
      }
      return { value, cached: false }
    },
  }
}

/** SHA-256 of the parts; each goes in with its kind and length, so that no two lists read the same. */
export function contentHash(parts: readonly KeyPart[]): string {
  const hash = createHash('sha256')
  for (const part of parts) {
    if (ArrayBuffer.isView(part)) {
      hash.update(`${part.constructor.name} ${part.byteLength}\n`)
      hash.update(new Uint8Array(part.buffer, part.byteOffset, part.byteLength))
    } else {
      const text = JSON.stringify(part)
      hash.update(`json ${Buffer.byteLength(text)}\n${text}`)
    }
  }
  return hash.digest('hex')
}

/** Typed arrays keep every bit: base64 of their bytes under the name of their type. */
const ARRAYS = { float32: Float32Array, float64: Float64Array } as const

function entryText(key: string, value: unknown): string {
  const text = JSON.stringify(value, (_, item) => {
    for (const [name, type] of Object.entries(ARRAYS)) {
      if (!(item instanceof type)) continue
      return { [name]: Buffer.from(item.buffer, item.byteOffset, item.byteLength).toString('base64') }
    }
    return item
  })
  return `${FORMAT} ${key} ${contentHash([text])}\n${text}\n`
}

async function readEntry(path: string, key: string): Promise<{ value: unknown } | undefined> {
  const file = await readFile(path, 'utf8').catch(() => '')
  const [head, text] = file.split('\n')
  if (text === undefined || head !== `${FORMAT} ${key} ${contentHash([text])}`) return undefined
  const value = JSON.parse(text, (_, item) => {
    for (const [name, type] of Object.entries(ARRAYS)) {
      if (typeof item?.[name] === 'string') return new type(Uint8Array.from(Buffer.from(item[name], 'base64')).buffer)
    }
    return item
  })
  return { value }
}
