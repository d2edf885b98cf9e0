import { mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BlobSource } from '../../src/sources/blob-source.js'
import { MemorySource } from '../../src/sources/memory-source.js'
import { NodeFileSource } from '../../src/sources/node-source.js'
import type { ByteSource } from '../../src/sources/source.js'
import { joinRanges } from '../../src/sources/spans.js'
import { patternBytes, rejectionOf } from './server.js'

const content = patternBytes(2_500_000)
let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'packvec-sources-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

function fileOf(name: string, bytes: Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, bytes)
  return path
}

const openers: [string, () => Promise<ByteSource>][] = [
  ['memory', async () => new MemorySource(content)],
  ['an ArrayBuffer', async () => new MemorySource(content.buffer)],
  ['a Blob', async () => new BlobSource(new Blob([content]))],
  ['a file', () => NodeFileSource.open(fileOf('whole', content))],
]

describe.each(openers)('a source over %s', (_name, open) => {
  it('reads ranges and streams pieces in order', async () => {
    const source = await open()
    expect(source.byteLength).toBe(content.length)
    const positions = [0, 1, 4095, 1_048_575, 2_499_999]
    const ranges = positions.map((position) => ({
      position,
      target: new Uint8Array(Math.min(5000, content.length - position)),
    }))
    await source.readMany(ranges)
    for (const { position, target } of ranges)
      expect(target).toEqual(content.subarray(position, position + target.length))
    let at = 7
    for await (const piece of source.stream(7, 2_400_000)) {
      expect(Buffer.compare(piece, content.subarray(at, at + piece.length))).toBe(0)
      at += piece.length
    }
    expect(at).toBe(2_400_007)
    for await (const _piece of source.stream(0, 0)) expect.unreachable()
    await source.readMany([])
    await source.close()
    await source.close()
  })

  it('says where it ends, and stops when aborted', async () => {
    const source = await open()
    const beyond = await rejectionOf(source.read(2_499_999, new Uint8Array(2)))
    expect(beyond).toMatchObject({ code: 'INVALID_FILE', message: expect.stringContaining('byte 2500000') })
    const stream = async () => {
      for await (const _piece of source.stream(1, 2_500_000)) expect.unreachable()
    }
    expect(await rejectionOf(stream())).toMatchObject({ code: 'INVALID_FILE' })
    const aborted = source.read(0, new Uint8Array(2), AbortSignal.abort())
    expect(await rejectionOf(aborted)).toMatchObject({ code: 'ABORTED' })
    await source.close()
  })
})

describe('a source over a file', () => {
  it('stays the file it opened when another is renamed over it', async () => {
    const path = fileOf('replaced', content)
    const source = await NodeFileSource.open(path)
    renameSync(fileOf('other', new Uint8Array(10)), path)
    const target = new Uint8Array(100)
    await source.read(2_000_000, target)
    expect(target).toEqual(content.subarray(2_000_000, 2_000_100))
    await source.checkUnchanged()
    await source.close()
  })

  it('tells a file that was cut off or written to while it was open', async () => {
    const path = fileOf('cut', content)
    const source = await NodeFileSource.open(path)
    truncateSync(path, 1000)
    expect(await rejectionOf(source.read(900, new Uint8Array(200)))).toMatchObject({ code: 'INVALID_FILE' })
    expect(await rejectionOf(source.checkUnchanged())).toMatchObject({ code: 'CHANGED' })
    await source.close()
  })

  it('refuses what is no file and what is not there by its path', async () => {
    for (const path of [folder, join(folder, 'none')]) {
      const error = await rejectionOf(NodeFileSource.open(path))
      expect(error).toMatchObject({ code: 'IO', message: expect.stringContaining(path) })
    }
  })

  it('is closed when its reads are over, and reads no more', async () => {
    const source = await NodeFileSource.open(fileOf('closing', content))
    const targets = Array.from({ length: 50 }, (_, i) => ({ position: 40_000 * i, target: new Uint8Array(4096) }))
    const reading = source.readMany(targets)
    await Promise.all([source.close(), reading])
    expect(targets[49]!.target).toEqual(content.subarray(1_960_000, 1_964_096))
    expect(await rejectionOf(source.read(0, new Uint8Array(1)))).toMatchObject({ code: 'IO' })
  })
})

describe('ranges', () => {
  it('are joined over gaps up to the limit, and into spans of at most 4 MiB', () => {
    const range = (position: number, length: number) => ({ position, target: new Uint8Array(length) })
    const joined = joinRanges([range(0, 10), range(20, 10), range(41, 10)], 10)
    expect(joined.map(({ position, length }) => [position, length])).toEqual([
      [0, 30],
      [41, 10],
    ])
    const long = joinRanges([range(0, 3 << 20), range(3 << 20, 2 << 20)], 10)
    expect(long.length).toBe(2)
  })
})
