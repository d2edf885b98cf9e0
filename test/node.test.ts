import { chmod, mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encodeNpy } from '../src/formats/npy.js'
import { PackvecError, QuantizedIndex, quantizeEmbeddings } from '../src/index.js'
import { loadIndex, readNpy, saveIndex, writeFileAtomic, writeNpy } from '../src/node.js'
import { encodeIndex } from '../src/storage.js'

let directory = ''
let fileCount = 0

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'packvec-node-'))
})

afterAll(() => rm(directory, { recursive: true }))

function newPath(): string {
  return join(directory, `file-${fileCount++}`)
}

/** Rows whose values differ in every dimension, without randomness. */
function embeddings(rows: number, dims: number): { data: Float32Array; dims: [number, number] } {
  return { data: Float32Array.from({ length: rows * dims }, (_, i) => Math.sin(i * 1.7) + 0.3), dims: [rows, dims] }
}

async function failure(promise: Promise<unknown>): Promise<PackvecError> {
  const error = await promise.then(
    () => new Error('expected a PackvecError, nothing was thrown'),
    (reason) => reason,
  )
  expect(error).toBeInstanceOf(PackvecError)
  return error
}

async function temporaryFiles(): Promise<string[]> {
  return (await readdir(directory)).filter((name) => name.endsWith('.tmp'))
}

describe('readNpy and writeNpy', () => {
  it('give back a typed array with its shape', async () => {
    const path = newPath()
    for (const data of [Float32Array.of(1, -0, NaN, 3), Float64Array.of(1, 2, 3, 0.1), Int8Array.of(-1, 2, 3, 4)]) {
      await writeNpy(path, { data, dims: [2, 2] })
      expect(await readNpy(path)).toMatchObject({ data, dims: [2, 2] })
    }
  })

  it('write a view as its part of the buffer only', async () => {
    const path = newPath()
    await writeNpy(path, { data: Float32Array.of(9, 1, 2, 9).subarray(1, 3), dims: [2] })
    expect(await readFile(path)).toEqual(Buffer.from(encodeNpy(Float32Array.of(1, 2), [2])))
  })

  it('write codes as a matrix of rows x bytes, of float32 as rows x dims', async () => {
    const path = newPath()
    const shapes = { float32: [5, 19], int8: [5, 19], uint8: [5, 19], binary: [5, 3], ubinary: [5, 3] } as const
    for (const [precision, dims] of Object.entries(shapes)) {
      const codes = quantizeEmbeddings(embeddings(5, 19), precision as keyof typeof shapes, { onWarning: () => {} })
      await writeNpy(path, codes)
      expect(await readNpy(path)).toMatchObject({ data: codes.data, dims })
    }
  })

  it('name the file in front of what is wrong with it', async () => {
    const path = newPath()
    const file = encodeNpy(Float32Array.of(1, 2), [2])
    for (const length of [0, 5, 100, file.length - 1]) {
      await writeFile(path, file.subarray(0, length))
      const { code, message } = await failure(readNpy(path))
      expect({ code, message }).toEqual({ code: 'INVALID_FILE', message: expect.stringContaining(`${path}: `) })
    }
    await writeFile(path, [file, Buffer.of(0)])
    expect((await failure(readNpy(path))).message).toContain('8 bytes of data (float32, shape 2), but the file has 9')
  })

  it('refuse a shape that does not fit before anything is written', async () => {
    const path = newPath()
    expect((await failure(writeNpy(path, { data: Float32Array.of(1), dims: [2] }))).code).toBe('INVALID_ARGUMENT')
    await expect(stat(path)).rejects.toThrow('ENOENT')
  })
})

describe('saveIndex and loadIndex', () => {
  it('give back an index that finds the same rows', async () => {
    const path = newPath()
    const corpus = embeddings(200, 40)
    const index = QuantizedIndex.build(corpus)
    await saveIndex(index, path)
    const loaded = await loadIndex(path)
    expect(loaded.size).toBe(200)
    const query = corpus.data.slice(40, 80)
    expect(loaded.search(query)).toEqual(index.search(query))
  })

  it('refuse a file that is cut off, naming it', async () => {
    const path = newPath()
    const bytes = encodeIndex(QuantizedIndex.build(embeddings(200, 40)))
    for (const length of [0, 7, 8, 200, bytes.length - 1]) {
      await writeFile(path, bytes.subarray(0, length))
      const { code, message } = await failure(loadIndex(path))
      expect({ code, message }).toEqual({ code: 'INVALID_FILE', message: expect.stringContaining(path) })
    }
  })
})

describe('an error of the file system is a PackvecError with the cause', () => {
  it('when a file or directory is missing', async () => {
    const path = join(directory, 'missing', 'file.npy')
    const array = { data: new Int8Array(1), dims: [1] }
    for (const run of [() => readNpy(path), () => loadIndex(path), () => writeNpy(path, array)]) {
      const error = await failure(run())
      expect(error).toMatchObject({ code: 'IO', argument: 'path', cause: { code: 'ENOENT' } })
      expect(error.message).toMatch(/^cannot (read|write) .*file\.npy: no such file or directory \(ENOENT\)$/)
    }
  })

  it('when the path is a directory or a device', async () => {
    for (const [path, what] of [
      [directory, 'a directory'],
      ['/dev/null', 'a pipe, socket or device'],
    ] as const) {
      for (const run of [() => readNpy(path), () => writeFileAtomic(path, [])]) {
        expect(await failure(run())).toMatchObject({ code: 'IO', message: expect.stringContaining(`got ${what}`) })
      }
    }
    expect((await stat('/dev/null')).isFile()).toBe(false)
  })

  it.skipIf(process.getuid?.() === 0)('when permission is missing', async () => {
    const path = newPath()
    await writeFile(path, '')
    await chmod(path, 0)
    for (const run of [() => readNpy(path), () => writeFileAtomic(path, [])]) {
      expect(await failure(run())).toMatchObject({ code: 'IO', cause: { code: 'EACCES' } })
    }
  })
})

describe('writeFileAtomic', () => {
  it('replaces a file and leaves nothing beside it', async () => {
    const path = newPath()
    await writeFile(path, 'old and longer')
    await writeFileAtomic(path, [Buffer.from('a'), Buffer.from(''), Buffer.from('bc')])
    expect(await readFile(path, 'utf8')).toBe('abc')
    expect(await temporaryFiles()).toEqual([])
  })

  it('takes chunks that come one after the other', async () => {
    const path = newPath()
    async function* chunks(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('a')
      expect(await temporaryFiles()).toHaveLength(1)
      await expect(stat(path)).rejects.toThrow('ENOENT')
      yield Buffer.from('b')
    }
    await writeFileAtomic(path, chunks())
    expect(await readFile(path, 'utf8')).toBe('ab')
  })

  it('keeps the old file, and nothing beside it, when a chunk fails', async () => {
    const path = newPath()
    await writeFile(path, 'old')
    function* chunks(): Generator<Uint8Array> {
      yield Buffer.from('new')
      throw new Error('no more')
    }
    await expect(writeFileAtomic(path, chunks())).rejects.toThrow('no more')
    expect(await readFile(path, 'utf8')).toBe('old')
    expect(await temporaryFiles()).toEqual([])
  })

  it('keeps the permissions of the file it replaces, and a symbolic link to it', async () => {
    const folder = newPath()
    await mkdir(folder)
    const [file, link] = [join(folder, 'file'), join(folder, 'link')]
    await writeFile(file, 'old')
    await chmod(file, 0o640)
    await symlink('file', link)
    await writeFileAtomic(link, [Buffer.from('new')])
    expect(await readlink(link)).toBe('file')
    expect(await readFile(file, 'utf8')).toBe('new')
    expect((await stat(file)).mode & 0o777).toBe(0o640)
    expect((await readdir(folder)).sort()).toEqual(['file', 'link'])
  })
})
