import { Checksum, sha256Hex } from '../base/checksum.js'
import type { ScaleType } from '../codes/code.js'
import type { AtomicFile } from '../files/atomic-file.js'
import { nodeSha256 } from '../files/node-sha256.js'
import type { IndexSpec } from '../index-file/layout.js'
import { IndexPlan } from '../index-file/plan.js'

/**
 * Writes an index file whose number of rows is known: tensors of rows grow side by side, each at its place. Digests stay in
 * memory until the end, 1/256 of the codes.
 */
export class IndexWriter {
  readonly #file: AtomicFile
  readonly #plan: IndexPlan
  readonly #checksums = new Map<string, Checksum>()

  constructor(file: AtomicFile, spec: IndexSpec) {
    this.#file = file
    this.#plan = new IndexPlan(spec)
    for (const { digestsOf } of this.#plan.tensors.values()) {
      if (digestsOf === undefined) continue
      this.#checksums.set(digestsOf, new Checksum(this.#plan.place(digestsOf).byteLength, nodeSha256))
    }
  }

  /** How a column of factors is kept. */
  scaleType(name: string): ScaleType {
    return this.#plan.place(name).dtype === 'F16' ? 'float16' : 'float32'
  }

  /** Writes the next bytes of a tensor of rows; they must stay as they are until the promise settles. */
  async append(name: string, bytes: Uint8Array): Promise<void> {
    const checksum = this.#checksums.get(name)!
    const position = this.#plan.place(name).position + checksum.byteLength
    checksum.update(bytes)
    await this.#file.writeAt(position, bytes)
  }

  /** Writes the small tensors, and the header last. */
  async finish(): Promise<void> {
    const sums = new Map<string, string>()
    for (const { name, data, digestsOf, position } of this.#plan.tensors.values()) {
      const bytes = digestsOf === undefined ? data : this.#close(digestsOf, sums)
      // Rows are written already.
      if (bytes === undefined) continue
      sums.set(name, sha256Hex(bytes, nodeSha256))
      await this.#file.writeAt(position, bytes)
    }
    await this.#file.writeAt(0, this.#plan.header(sums, nodeSha256))
  }

  /** The digests of a tensor; its own sum goes to `sums`. */
  #close(name: string, sums: Map<string, string>): Uint8Array {
    const checksum = this.#checksums.get(name)!
    const { byteLength } = this.#plan.place(name)
    if (checksum.byteLength !== byteLength) {
      throw new Error(`tensor ${name} got ${checksum.byteLength} of ${byteLength} bytes`)
    }
    const { sha256, digests } = checksum.finish()
    sums.set(name, sha256)
    return digests
  }
}
