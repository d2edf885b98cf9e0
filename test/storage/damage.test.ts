import { fork } from 'node:child_process'
import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { nodeSha256 } from '../../src/files/node-sha256.js'
import { QuantizedIndex } from '../../src/index.js'
import { indexHeaderBytes, parseIndexHeader } from '../../src/index-file/header.js'
import { Rotation, svdRotation } from '../../src/rotations.js'
import { openIndex } from '../../src/storage-node.js'
import { matrix, unitRows } from '../random.js'
import { indexFile } from './index-files.js'
import { FileServer, rejectionOf } from './server.js'

const [rows, dims] = [3000, 64]
const all = matrix(rows, dims, 1)
const index = QuantizedIndex.build(all, { scale: true, rotation: svdRotation(all, { center: true }) })
const keys = Array.from({ length: rows }, (_, row) => `row ${row}`)
const file = indexFile(index, { keys, deleted: [4] })
const header = parseIndexHeader(file, file.length, nodeSha256)
const query = unitRows(1, dims, 2)
const expected = index.search(query, { filter: { bits: Uint8Array.from({ length: 375 }, (_, i) => (i ? 255 : 239)) } })
const keysOf = (ids: Uint32Array) => Array.from(ids, (row) => keys[row]!)
/** Codes and keys are read with the search, coarse ones and their digests when all is checked, if at all. */
const LATER = ['int8', 'keys']
const UNREAD = [
  'binary.digests',
  'binary.scale.digests',
  'int8.scale.digests',
  'deleted.digests',
  'keys.offsets.digests',
]

let folder: string
let path: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'packvec-damage-'))
})
afterAll(() => rmSync(folder, { recursive: true }))
beforeEach(() => {
  path = join(folder, `${Math.random()}.safetensors`)
  writeFileSync(path, file)
})

function flipped(position: number): Uint8Array<ArrayBuffer> {
  const copy = file.slice()
  copy[position]! ^= 0x10
  return copy
}

describe('an index file with a wrong byte', () => {
  const tensors = [...header.tensors.values()].flatMap((tensor) =>
    tensor.digests ? [tensor, tensor.digests] : [tensor],
  )

  it('is read as it is where no byte is wrong', async () => {
    const stored = await openIndex(path)
    const result = await stored.search(query)
    expect(result).toEqual({ ...expected, keys: keysOf(expected.ids) })
    await stored.close()
  })

  for (const { name, position, byteLength } of tensors.filter(({ name }) => !LATER.includes(name))) {
    const what = UNREAD.includes(name) ? 'is not read' : 'is refused at opening by its name'
    it(`in tensor ${name} ${what}`, async () => {
      for (const at of [position, position + byteLength - 1]) {
        writeFileSync(path, flipped(at))
        if (UNREAD.includes(name)) {
          const stored = await openIndex(path)
          expect((await stored.search(query)).ids).toEqual(expected.ids)
          await stored.close()
          continue
        }
        const error = await rejectionOf(openIndex(path))
        expect(error).toMatchObject({ code: 'INVALID_FILE' })
        expect(error.message).toContain(`${path}: tensor ${name} is damaged`)
      }
    })
  }

  it.each(LATER)('in tensor %s is refused by the search that reads it, and by no other', async (name) => {
    const tensor = header.tensors.get(name)!
    const wrong = file.slice()
    for (let at = tensor.position + 100; at < tensor.position + tensor.byteLength; at += 4096) wrong[at]! ^= 1
    writeFileSync(path, wrong)
    const stored = await openIndex(path)
    const error = await rejectionOf(stored.search(query))
    expect(error).toMatchObject({ code: 'INVALID_FILE' })
    expect(error.message).toContain(`${path}: tensor ${name} is damaged in block`)
    expect(await rejectionOf(openIndex(path, { load: 'all' }))).toMatchObject({ code: 'INVALID_FILE' })
    // Once the byte is right again, so is the answer.
    writeFileSync(path, file)
    expect((await stored.search(query)).ids).toEqual(expected.ids)
    await stored.close()
  })

  it('in the header is refused at opening', async () => {
    const length = indexHeaderBytes(file)
    for (let at = 0; at < length; at += 37) {
      writeFileSync(path, flipped(at))
      expect(['INVALID_FILE', 'UNSUPPORTED']).toContain((await rejectionOf(openIndex(path))).code)
    }
  })
})

describe('an index file that is cut', () => {
  it('is refused at opening wherever it is', async () => {
    for (const length of [0, 7, 100, header.dataOffset, header.dataOffset + 5000, file.length - 1]) {
      writeFileSync(path, file.subarray(0, length))
      const error = await rejectionOf(openIndex(path))
      expect(error).toMatchObject({ code: 'INVALID_FILE', message: expect.stringContaining(path) })
    }
  })

  it('while it is open is a change, said by the search that meets it', async () => {
    const stored = await openIndex(path)
    truncateSync(path, header.tensors.get('int8')!.position)
    expect(await rejectionOf(stored.search(query))).toMatchObject({ code: 'CHANGED' })
    await stored.close()
  })
})

describe('an index file that is written to while it is open', () => {
  it('is a change where a search meets what was written', async () => {
    const stored = await openIndex(path)
    const { position, byteLength } = header.tensors.get('int8')!
    const handle = openSync(path, 'r+')
    writeSync(handle, new Uint8Array(byteLength).fill(7), 0, byteLength, position)
    closeSync(handle)
    expect(await rejectionOf(stored.search(query))).toMatchObject({ code: 'CHANGED' })
    await stored.close()
  })

  it('is the old one until it is closed where another file takes its place', async () => {
    const stored = await openIndex(path, { cacheBytes: 0 })
    const other = QuantizedIndex.build(all, { rotation: Rotation.hadamard(dims, { seed: 1 }) })
    writeFileSync(`${path}.new`, indexFile(other, {}))
    renameSync(`${path}.new`, path)
    expect((await stored.search(query)).ids).toEqual(expected.ids)
    await stored.close()
    const opened = await openIndex(path)
    expect(await opened.search(query)).toEqual(other.search(query))
    await opened.close()
  })
})

describe('an index behind HTTP', () => {
  let server: FileServer
  beforeEach(async () => {
    server = await new FileServer(file).open()
  })
  afterEach(() => server.close())
  const fast = { retryDelay: 1, requestTimeout: 2000 }

  it('is opened by few requests for what comes to memory, and searched by ranges', async () => {
    const stored = await openIndex(server.url, fast)
    expect((await stored.search(query)).ids).toEqual(expected.ids)
    await stored.close()
  })

  it.each(['"one"', undefined])('is refused where a byte is wrong, with the ETag %s', async (etag) => {
    server.etag = etag
    const { position, byteLength } = header.tensors.get('binary')!
    server.content = flipped(position + byteLength - 1)
    const error = await rejectionOf(openIndex(server.url, fast))
    expect(error).toMatchObject({ code: 'INVALID_FILE', message: expect.stringContaining('tensor binary is damaged') })
    const codes = header.tensors.get('int8')!
    server.content = file.slice()
    server.content.fill(1, codes.position, codes.position + codes.byteLength)
    const stored = await openIndex(server.url, fast)
    expect(await rejectionOf(stored.search(query))).toMatchObject({ code: 'INVALID_FILE' })
  })

  it.each(['"two"', undefined])(
    'is a change where another file is there by the time of a search (ETag %s)',
    async (etag) => {
      server.etag = etag === undefined ? undefined : '"one"'
      const stored = await openIndex(server.url, fast)
      server.etag = etag
      server.content = indexFile(QuantizedIndex.build(matrix(rows, dims, 9), { scale: true }), { keys, deleted: [4] })
      if (etag === undefined) {
        const padded = new Uint8Array(file.length)
        padded.set(server.content.subarray(0, file.length))
        server.content = padded
      }
      expect(await rejectionOf(stored.search(query))).toMatchObject({ code: 'CHANGED' })
    },
  )

  it('is searched through failures that pass', async () => {
    server.behaviour = (asked, response) => {
      if (asked.number % 3 === 0) response.writeHead(503).end()
      else if (asked.number % 3 === 1) {
        response.writeHead(206, server.partHeaders(asked))
        response.write(file.subarray(asked.first, asked.first + Math.min(3000, asked.end - asked.first - 1)), () =>
          response.destroy(),
        )
      }
      return asked.number % 3 < 2
    }
    const stored = await openIndex(server.url, fast)
    expect((await stored.search(query)).ids).toEqual(expected.ids)
  })

  it('says how far it is', async () => {
    const progress: [string, number, number | undefined][] = []
    const onProgress = (at: { phase: string; bytes: number; totalBytes: number | undefined }) =>
      progress.push([at.phase, at.bytes, at.totalBytes])
    await openIndex(server.url, { ...fast, onProgress })
    const [phase, bytes, total] = progress.at(-1)!
    expect([phase, bytes]).toEqual(['load', total])
    server.behaviour = (_, response) => {
      response.writeHead(200, { 'Content-Length': file.length }).end(file)
      return true
    }
    progress.length = 0
    await openIndex(server.url, { ...fast, onProgress })
    expect(progress.filter(([phase]) => phase === 'download').at(-1)).toEqual(['download', file.length, file.length])
  })

  it('may be several files, and what is wrong with one ends all', async () => {
    server.behaviour = (asked, response) => {
      if (asked.number === 0) return false
      response.writeHead(404).end()
      return true
    }
    const error = await rejectionOf(openIndex([server.url, server.url], fast))
    expect(error).toMatchObject({ code: 'IO', message: expect.stringContaining('404') })
  })
})

describe('several processes', () => {
  it('read a file while it is replaced, each of them the one it opened', async () => {
    const script = new URL('./reader.mjs', import.meta.url)
    const dist = new URL('../../dist/storage-node.js', import.meta.url).href
    const other = indexFile(QuantizedIndex.build(matrix(rows, dims, 5)), {})
    const otherExpected = QuantizedIndex.build(matrix(rows, dims, 5)).search(query)
    const stop = join(folder, 'stop')
    const readers = [1, 2].map(() => {
      const child = fork(script, [dist, path, stop, JSON.stringify([...query])], {
        stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
      })
      let text = ''
      child.stdout!.on('data', (piece) => {
        text += piece
      })
      const done = new Promise<void>((resolve) => child.on('exit', () => resolve()))
      return { first: new Promise((resolve) => child.once('message', resolve)), done, text: () => text }
    })
    await Promise.all(readers.map(({ first }) => first))
    for (let turn = 0; turn < 40; turn++) {
      writeFileSync(`${path}.${turn}`, turn % 2 ? file : other)
      renameSync(`${path}.${turn}`, path)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    writeFileSync(stop, '')
    await Promise.all(readers.map(({ done }) => done))
    const answers = [expected.ids, otherExpected.ids].map((ids) => ids.join())
    for (const { text } of readers) {
      const lines = text().trim().split('\n')
      expect(lines.length).toBeGreaterThan(3)
      for (const line of lines) expect(answers).toContain(line)
    }
    expect(readFileSync(path)).toEqual(Buffer.from(file))
  })
})
