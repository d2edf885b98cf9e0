import { createHash } from 'node:crypto'
import { type DecodedTensor, encodeSafetensors } from '../../src/formats/safetensors.js'

export const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest()

/** The digests of a tensor as docs/format.md defines them, by themselves. */
export function digestsOf(data: Uint8Array): Uint8Array {
  const blocks = Array.from({ length: Math.ceil(data.length / 4096) }, (_, i) =>
    data.subarray(4096 * i, 4096 * (i + 1)),
  )
  return Buffer.concat(blocks.map((block) => sha256(block).subarray(0, 16)))
}

/** An index file with these tensors and metadata whose sums are right, whatever else is wrong with it. */
export function sealed(
  tensors: ReadonlyMap<string, DecodedTensor>,
  metadata: Readonly<Record<string, string | undefined>>,
): Uint8Array<ArrayBuffer> {
  const list = Array.from(tensors, ([name, tensor]) => {
    const rows = tensors.get(name.replace(/\.digests$/, ''))!
    if (!name.endsWith('.digests') || rows === undefined) return { name, ...tensor }
    const data = digestsOf(rows.data)
    return { name, dtype: 'U8', shape: [data.length / 16, 16], data }
  })
  const sums = list.map(({ name, data }) => [`sha256.${name}`, sha256(new Uint8Array(data)).toString('hex')])
  const given = Object.entries(metadata).filter(([key, value]) => value !== undefined && !key.startsWith('sha256'))
  const all = { ...Object.fromEntries(given), ...Object.fromEntries(sums), sha256: '0'.repeat(64) }
  return withHeaderSum(encodeSafetensors(list, all))
}

/** Puts the right sum into a header whose own sum is 64 zeros. */
export function withHeaderSum(file: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const length = 8 + Number(new DataView(file.buffer).getBigUint64(0, true))
  const header = Buffer.from(file.buffer, 0, length)
  header.write(sha256(header).toString('hex'), header.indexOf(`"${'0'.repeat(64)}"`) + 1)
  return file
}
