import { PackvecError } from 'packvec'
import { type ByteSource, fromReader } from 'packvec/storage'

/** An object of an R2 bucket, read by ranges for as long as it is the same object. */
export async function r2Source(bucket: R2Bucket, key: string): Promise<ByteSource> {
  const head = await bucket.head(key)
  if (head === null) throw new PackvecError('IO', 'source', `there is no ${key} in the bucket`)

  async function get(offset: number, length: number): Promise<R2ObjectBody> {
    const object = await bucket.get(key, { range: { offset, length }, onlyIf: { etagMatches: head!.etag } })
    if (object !== null && 'body' in object) return object
    throw new PackvecError('CHANGED', 'source', `${key} was replaced or removed since it was opened`)
  }

  return fromReader({
    name: key,
    byteLength: head.size,
    read: async (position, length) => (await get(position, length)).arrayBuffer(),
    stream: async (position, length) => (await get(position, length)).body,
  })
}
