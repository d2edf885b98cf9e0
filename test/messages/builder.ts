import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodeNpy, type NpyData } from '../../src/formats/npy.js'
import * as node from '../../src/node.js'
import { matrix } from '../random.js'
import { indexFile } from '../storage/index-files.js'
import type { Provocation } from './recorder.js'
import { any, silent } from './wrong.js'
import { bytes, index, names, notFinite, offsetsBack, patched, patchedDeleted, rows } from './wrong-files.js'

export function builderCalls(folder: string): Provocation[] {
  const at = (name: string) => join(folder, name)
  const put = (name: string, content: Uint8Array | string) => {
    writeFileSync(at(name), content)
    return at(name)
  }
  const matrices = [rows]
  const build = (options: object, source: unknown = matrices) =>
    node.buildIndex(at('built'), any(source), { ...silent, ...options })
  const fresh = () => put('plain', bytes)
  const named = () => put('named', indexFile(index, { keys: names }))
  const npyFile = (name: string, data: NpyData, dims: number[]) => put(name, encodeNpy(data, dims))
  const floats = npyFile('floats.npy', rows.data, [40, 8])
  mkdirSync(at('directory'))
  symlinkSync(at('loop'), at('loop'))
  const batches =
    (...list: [unknown, unknown?][]) =>
    async () => {
      const builder = await node.IndexBuilder.open(at('batches'), silent)
      try {
        for (const [embeddings, ids] of list) await builder.add(any(embeddings), any(ids === undefined ? {} : { ids }))
        await builder.finish()
        await builder.add(rows)
      } finally {
        await builder.discard()
      }
    }
  const ids = names
  return [
    () => node.buildIndex(any(5), matrices),
    () => build({}, 5),
    () => build({}, []),
    () => build({}, ['a', 'b']),
    () => build({}, at('missing.npy')),
    () => build({}, [npyFile('codes.npy', new Int8Array(8), [2, 4])].at(0)),
    () => build({}, npyFile('cube.npy', new Float32Array(8), [2, 2, 2])),
    () => build({}, [floats, npyFile('narrow.npy', new Float32Array(6), [2, 3])]),
    () => build({}, npyFile('none.npy', new Float32Array(0), [0, 8])),
    () => build({}, npyFile('nan.npy', new Float32Array(8).fill(Number.NaN), [1, 8])),
    () => node.buildIndex(floats, floats),
    () => node.buildIndex(at('directory'), matrices, silent),
    () => node.buildIndex(at('loop'), matrices, silent),
    () => node.buildIndex(at('nowhere/index'), matrices, silent),
    () => build({ ids: 5 }),
    () => build({ ids: ids.slice(1) }),
    () => build({ ids: [...ids.slice(1), 'row 1'] }),
    () => build({ ids: [1.5, ...ids.slice(1)] }),
    () => build({ ids: [true, ...ids.slice(1)] }),
    () => build({ ids: [7, ...ids.slice(1)] }),
    () => build({ ids: ['\ud800', ...ids.slice(1)] }),
    () => build({ ids }, [{ embeddings: rows, ids }]),
    () => build({ metadata: [] }),
    () => build({ metadata: { format: 'mine' } }),
    () => build({ metadata: { note: 5 } }),
    () => build({ metadata: { note: 'x'.repeat(9e6) } }),
    () => build({ like: fresh(), coarse: 'int8' }),
    () => build({ like: fresh() }, [matrix(3, 7, 1)]),
    () => build({ calibrateOn: 5 }),
    () => build({ calibrateOn: { sample: 0 } }),
    () => build({ calibrateOn: { sample: 4, seed: -1 } }),
    () => build({ calibrationEmbeddings: [] }),
    () => build({ calibrationEmbeddings: [[1, 2]] }),
    () => build({ rotation: { kind: 'turn' } }),
    () => build({ rotation: { kind: 'hadamard', seed: 1.5 } }),
    () => build({ signal: AbortSignal.abort(new Error('enough')) }),
    () => build({ lockTimeout: -1 }),
    () => node.appendToIndex(fresh(), [matrix(3, 7, 1)]),
    () => node.appendToIndex(fresh(), [matrix(1, 8, 1)], { ids: ['a'] }),
    () => node.appendToIndex(named(), [matrix(1, 8, 1)]),
    () => node.appendToIndex(named(), [matrix(1, 8, 1)], { ids: ['row 2'] }),
    () => node.appendToIndex(fresh(), [{ data: new Float32Array(8).fill(9), dims: [1, 8] }], any({ keep: 1 })),
    () => node.deleteFromIndex(named(), ['row 3', 'row 99', 'row 100']),
    () => node.deleteFromIndex(fresh(), [3.5]),
    () => node.deleteFromIndex(fresh(), any('row 3')),
    () => node.deleteFromIndex(at('missing'), [1]),
    async () => {
      await node.deleteFromIndex(named(), names)
      await node.compactIndex(at('named'))
    },
    () => node.verifyIndex(put('bad', patched(bytes, -1, bytes.at(-1)! ^ 1))),
    () => node.verifyIndex(put('bad', patched(bytes, bytes.length - 400, bytes.at(-400)! ^ 1))),
    () => node.verifyIndex(put('bad', bytes.subarray(0, 1500))),
    () => node.verifyIndex(put('bad', notFinite())),
    () => node.verifyIndex(put('bad', offsetsBack())),
    () => node.verifyIndex(put('bad', patchedDeleted())),
    () => node.loadIndex(put('page', '<!doctype html><p>Sign in')),
    batches([rows], [[[1, 2]]]),
    batches([rows], [rows, ids]),
    batches([rows, ids], [rows]),
    batches([rows]),
    batches(),
    () => node.writeFileAtomic(at('out'), any(['text'])),
    () => node.writeFileAtomic(at('out'), any(5)),
  ]
}
