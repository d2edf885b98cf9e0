import { statSync } from 'node:fs'
import { npyHeaderOf } from '../../src/formats/npy.js'
import { type BuildProgress, buildIndex, verifyIndex, writeFileAtomic } from '../../src/node.js'
import { verify } from '../measure.js'
import type { Corpus } from '../search/corpus.js'

/** What a build was, measured in a process that did nothing else. */
export interface BuildFigures {
  readonly seconds: number
  readonly inputBytes: number
  /** Growth of the resident set: its peak less what it was before the build. */
  readonly memoryBytes: number
  readonly fileBytes: number
  readonly codeBytes: number
  /** Bytes of input a second by phase. */
  readonly speeds: Readonly<Record<string, number>>
  readonly verifySeconds: number
}

const CHUNK_ROWS = 2048

/** Writes a corpus as .npy, chunk by chunk. */
export async function writeCorpus(path: string, corpus: Corpus): Promise<void> {
  await writeFileAtomic(path, npyChunks(corpus))
}

/** Builds an index of the usual codes, from a file or from batches, verifies it, and says what that took. */
export async function measureBuild(
  source: string | Corpus,
  rows: number,
  dims: number,
  index: string,
): Promise<BuildFigures> {
  const speeds: Record<string, number> = {}
  const onProgress = ({ phase, bytesPerSecond }: BuildProgress) => {
    speeds[phase] = bytesPerSecond
  }
  const before = process.memoryUsage.rss()
  const start = performance.now()
  await buildIndex(index, typeof source === 'string' ? source : batches(source), { onProgress })
  const seconds = (performance.now() - start) / 1000
  const memoryBytes = 1024 * process.resourceUsage().maxRSS - before
  const verifyStart = performance.now()
  verify((await verifyIndex(index)).rows === rows, 'the index has other rows than the corpus')
  const verifySeconds = (performance.now() - verifyStart) / 1000
  const codeBytes = rows * (dims / 8 + dims)
  return {
    seconds,
    inputBytes: 4 * rows * dims,
    memoryBytes,
    fileBytes: statSync(index).size,
    codeBytes,
    speeds,
    verifySeconds,
  }
}

function* batches(corpus: Corpus): Generator<{ data: Float32Array; dims: number[] }> {
  for (let first = 0; first < corpus.rows; first += CHUNK_ROWS) {
    const count = Math.min(CHUNK_ROWS, corpus.rows - first)
    yield { data: corpus.chunk(first, count), dims: [count, corpus.dims] }
  }
}

function* npyChunks(corpus: Corpus): Generator<Uint8Array> {
  yield npyHeaderOf('<f4', [corpus.rows, corpus.dims])
  for (const { data } of batches(corpus)) yield new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
}
