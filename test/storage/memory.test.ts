import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { Calibration } from '../../src/codes/ranges.js'
import { QuantizedIndex } from '../../src/index.js'
import { writeFileAtomic } from '../../src/node.js'
import { encodeIndex } from '../../src/storage-node.js'
import { patternBytes } from './server.js'

const [rows, dims] = [593_891, 384]
const folder = mkdtempSync(join(tmpdir(), 'packvec-memory-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Opens and searches in a process that did nothing before; prints the growth of its resident set. */
const CHILD = `
  const [dist, path, dims] = process.argv.slice(1)
  const { openIndex } = await import(dist)
  const query = () => Float32Array.from({ length: Number(dims) }, () => Math.random() - 0.5)
  const before = process.memoryUsage.rss()
  const index = await openIndex(path)
  for (let i = 0; i < 100; i++) await index.search(query(), { rescoreMultiplier: 10 })
  console.log(process.memoryUsage.rss() - before)`

describe('an index of 593,891 x 384 whose int8 codes are in the file', () => {
  it('takes the bits and 40 MB of memory, searches included', async () => {
    const calibration = Calibration.fromRanges([new Array(dims).fill(-1), new Array(dims).fill(1)])
    const tile = patternBytes(48 * 1021)
    const codes = (rowBytes: number) => {
      const bytes = new Uint8Array(rows * rowBytes)
      for (let at = 0; at < bytes.length; at += tile.length) bytes.set(tile.subarray(0, bytes.length - at), at)
      return bytes
    }
    const index = QuantizedIndex.fromCodes(
      {
        stages: { coarse: 'binary', rescore: 'int8' },
        transform: { inputDims: dims, dims, renormalize: false, rotation: undefined },
        columns: [
          { precision: 'ubinary', book: undefined, scale: undefined },
          { precision: 'int8', book: calibration, scale: undefined },
        ],
        extras: undefined,
      },
      [
        { precision: 'ubinary', bytes: codes(dims / 8), scales: undefined },
        { precision: 'int8', bytes: codes(dims), scales: undefined },
      ],
      rows,
    )
    const path = join(folder, 'index.safetensors')
    await writeFileAtomic(path, [encodeIndex(index)])
    const dist = new URL('../../dist/storage-node.js', import.meta.url).href
    const args = ['--input-type=module', '-e', CHILD, dist, path, String(dims)]
    const growth = Number(execFileSync(process.execPath, args, { encoding: 'utf8' }))
    expect(growth).toBeGreaterThan(20e6)
    expect(growth).toBeLessThan(rows * (dims / 8) + 40e6)
  })
})
