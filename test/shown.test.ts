import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import { transform } from 'esbuild'
import { afterAll, describe, expect, it } from 'vitest'
import { showAs } from '../src/base/shown.js'
import { StoredIndex } from '../src/in-place/stored-index.js'
import { Calibration, Levels, PackvecError, QuantizedIndex } from '../src/index.js'
import { IndexBuilder } from '../src/node.js'
import { Pool } from '../src/pool/pool.js'
import { PoolIndex } from '../src/pool/pool-index.js'
import { Moments, Rotation } from '../src/rotations.js'
import { encodeIndex, openIndex } from '../src/storage-node.js'
import { Folder } from './builder/files.js'
import { matrix } from './random.js'

const corpus = matrix(20, 8, 1)
const folder = new Folder()
afterAll(() => folder.remove())

/** As console.log prints it, on one line. */
const shown = (value: unknown) => inspect(value, { breakLength: Number.POSITIVE_INFINITY })

describe('console.log shows', () => {
  it('an index with its size, dims and stages', () => {
    const index = QuantizedIndex.build(corpus, { rotation: Rotation.hadamard(8, { seed: 3 }) })
    expect(shown(index)).toBe(
      `QuantizedIndex { size: 20, dims: 8, coarse: 'binary', rescore: 'int8', backend: '${index.backend}', ` +
        `byteLength: ${index.byteLength}, rotation: Rotation { kind: 'hadamard', dims: 8, seed: 3 } }`,
    )
  })

  it('an index that has ended without an error', async () => {
    const index = QuantizedIndex.build(corpus)
    index.dispose()
    expect(shown(index)).toBe("QuantizedIndex { error: 'DISPOSED' }")
    const stored = await openIndex(encodeIndex(QuantizedIndex.build(corpus)))
    expect(shown(stored)).toMatch(/^StoredIndex \{ size: 20, dims: 8, coarse: 'binary', rescore: 'int8', backend: /)
    await stored.close()
    expect(shown(stored)).toBe("StoredIndex { error: 'DISPOSED' }")
  })

  it('what gives codes their meaning without its numbers', () => {
    expect(shown(Calibration.from(corpus))).toBe('Calibration { dims: 8, rows: 20 }')
    expect(shown(new Calibration(5))).toBe('Calibration { dims: 5, rows: 0 }')
    expect(shown(Levels.from(corpus, 'int4'))).toBe("Levels { precision: 'int4', dims: 8, scope: 'global' }")
    expect(shown(Moments.from(corpus))).toBe('Moments { dims: 8, rows: 20 }')
    const matrix = new Float32Array([0, 1, 1, 0])
    expect(shown(Rotation.fromMatrix(matrix, 2, 'random', 7))).toBe("Rotation { kind: 'random', dims: 2, seed: 7 }")
  })

  it('a builder with its file and the rows taken', async () => {
    await using builder = await IndexBuilder.open(folder.at('index'))
    await builder.add(corpus)
    expect(shown(builder)).toBe(`IndexBuilder { path: '${folder.at('index')}', rows: 20 }`)
  })

  it('the name alone where the object lies deep', () => {
    expect(inspect({ a: { b: { c: Rotation.hadamard(8) } } }, { depth: 2 })).toContain('c: [Rotation]')
  })

  it('the name of the class where a minifier renamed it', async () => {
    const { code } = await transform(readFileSync('src/base/shown.ts', 'utf8'), { loader: 'ts', minify: true })
    expect(code).not.toContain('class Named')
    class e {
      readonly size = 3
      constructor() {
        showAs(this, 'Named', 'size none')
      }
    }
    expect(shown(new e())).toBe('Named { size: 3 }')
    class Heir extends e {}
    expect(shown(new Heir())).toBe('Named { size: 3 }')
  })

  it('nothing of it in the properties of an object', () => {
    const index = QuantizedIndex.build(corpus)
    expect(Reflect.ownKeys(index)).toEqual([])
    expect({ ...Levels.from(corpus, 'ternary') }).toEqual({ precision: 'ternary', dims: 8, scope: 'global' })
  })

  it('as before where the host has frozen the prototypes', () => {
    class Frozen {
      constructor() {
        showAs(this, 'Frozen', 'size')
      }
    }
    Object.freeze(Frozen.prototype)
    expect(shown(new Frozen())).toBe('Frozen {}')
  })
})

describe('new', () => {
  const classes: readonly (readonly [string, unknown, string])[] = [
    ['QuantizedIndex', QuantizedIndex, 'QuantizedIndex.build(embeddings)'],
    ['Levels', Levels, 'Levels.from(embeddings, precision)'],
    ['Rotation', Rotation, 'Rotation.hadamard(dims) or Rotation.fromMatrix(matrix, dims, kind)'],
    ['IndexBuilder', IndexBuilder, 'IndexBuilder.open(path)'],
    ['StoredIndex', StoredIndex, 'openIndex(source)'],
    ['PoolIndex', PoolIndex, 'pool.build(embeddings) or pool.open(bytes)'],
    ['Pool', Pool, 'createPool()'],
  ]

  it.each(classes)('of %s is refused with what makes one', (name, type, factory) => {
    const make = type as new (...args: unknown[]) => unknown
    for (const args of [[], [corpus], [corpus, {}], [{}], [undefined, 8], [null, {}, []]]) {
      const refused = {
        code: 'INVALID_ARGUMENT',
        argument: name,
        message: `${name} cannot be made with new: call ${factory}`,
      }
      expect(() => new make(...args)).toThrow(expect.objectContaining(refused))
      expect(() => new make(...args)).toThrow(PackvecError)
    }
  })

  // What `npm run build` wrote: a class without a constructor in its declaration could be made with new.
  it.each([
    ['index', 'QuantizedIndex'],
    ['index', 'Levels'],
    ['rotations', 'Rotation'],
    ['node', 'IndexBuilder'],
    ['storage', 'StoredIndex'],
    ['pool', 'PoolIndex'],
    ['pool', 'Pool'],
  ])('is private in dist/types/%s.d.ts for %s', (entry, name) => {
    const types = readFileSync(`dist/types/${entry}.d.ts`, 'utf8')
    const body = types.split(`declare class ${name} {\n`)[1]?.split('\n}\n')[0]
    expect(body).toContain('private constructor();')
  })
})
