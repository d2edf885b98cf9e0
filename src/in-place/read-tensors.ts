import { hexOf, type NewHasher } from '../base/checksum.js'
import { checkSum } from '../index-file/check-tensor.js'
import type { StoredTensor } from '../index-file/header.js'
import type { ByteSource } from '../sources/source.js'

/** Takes the bytes of a tensor in order, in pieces of any length; a piece is good until `write` returns. */
export interface TensorSink {
  readonly tensor: StoredTensor
  write(piece: Uint8Array): void
}

/** What lies between two tensors is read along with them up to this length. */
const GAP_BYTES = 65_536

export interface ReadOptions {
  readonly newHasher: NewHasher
  readonly signal?: AbortSignal | undefined
  /** Called with the bytes that have just come. */
  readonly onBytes?: ((bytes: number) => void) | undefined
}

/** Reads whole tensors from a source and checks their sums. @throws PackvecError INVALID_FILE, naming the tensor */
export async function readTensors(
  source: ByteSource,
  sinks: readonly TensorSink[],
  options: ReadOptions,
): Promise<void> {
  for (const run of runsOf(sinks)) await readRun(source, run, options)
}

/** A sink that keeps a small tensor as one array. */
export function keepTensor(tensor: StoredTensor): TensorSink & { readonly bytes: Uint8Array<ArrayBuffer> } {
  const bytes = new Uint8Array(tensor.byteLength)
  let at = 0
  return {
    tensor,
    bytes,
    write(piece) {
      bytes.set(piece, at)
      at += piece.length
    },
  }
}

/** Tensors that one stream gives, in the order of the file. */
function runsOf(sinks: readonly TensorSink[]): TensorSink[][] {
  const runs: TensorSink[][] = []
  let end = Number.NEGATIVE_INFINITY
  for (const sink of [...sinks].sort((a, b) => a.tensor.position - b.tensor.position)) {
    const { position, byteLength } = sink.tensor
    if (position - end <= GAP_BYTES) runs.at(-1)!.push(sink)
    else runs.push([sink])
    end = position + byteLength
  }
  return runs
}

async function readRun(source: ByteSource, run: readonly TensorSink[], options: ReadOptions): Promise<void> {
  const { newHasher, signal, onBytes } = options
  const from = run[0]!.tensor.position
  const last = run.at(-1)!.tensor
  const open = run.map((sink) => ({ sink, hasher: newHasher() }))
  const close = () => {
    const { sink, hasher } = open.shift()!
    checkSum(sink.tensor, hexOf(hasher.digest()), 'source')
  }
  let at = from
  for await (const piece of source.stream(from, last.position + last.byteLength - from, signal)) {
    const end = at + piece.length
    while (open.length > 0) {
      const { sink, hasher } = open[0]!
      const begin = sink.tensor.position
      const part = piece.subarray(Math.max(0, begin - at), Math.max(0, begin + sink.tensor.byteLength - at))
      if (part.length > 0) {
        hasher.update(part)
        sink.write(part)
      }
      if (begin + sink.tensor.byteLength > end) break
      close()
    }
    at = end
    onBytes?.(piece.length)
  }
  // Tensors of no bytes at the end of a run.
  while (open.length > 0) close()
}
