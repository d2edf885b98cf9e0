import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodeFaiss } from '../../src/formats/faiss.js'
import { encodeNpy } from '../../src/formats/npy.js'
import { quantizeEmbeddings } from '../../src/index.js'
import * as node from '../../src/node.js'
import { decodeIndex } from '../../src/storage-node.js'
import type { Provocation } from './recorder.js'
import { any, silent } from './wrong.js'
import { bytes, npy, patched, rows, safetensors } from './wrong-files.js'

export function formatCalls(folder: string): Provocation[] {
  const read = (reader: (path: string) => Promise<unknown>, name: string, content: Uint8Array | string) => () => {
    writeFileSync(join(folder, name), content)
    return reader(join(folder, name))
  }
  const ofNpy = (content: Uint8Array | string) => read(node.readNpy, 'array.npy', content)
  const ofFaiss = (content: Uint8Array | string) => read(node.readFaiss, 'flat.faiss', content)
  const dict = (descr: string, order: string, shape: string) =>
    ofNpy(npy(`{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}, }`))
  const flat = encodeFaiss({ kind: 'ip', rows: 2, dims: 3, data: new Float32Array(6) })
  const bits = encodeFaiss({ kind: 'binary', rows: 2, dims: 16, data: new Uint8Array(4) })
  const f32 = (fields: string) => safetensors(`{"a":{"dtype":"F32",${fields}}}`, new Uint8Array(4))
  const array = { data: new Float32Array(6), dims: [2, 3] }
  const write = (given: unknown) => () => node.writeNpy(join(folder, 'out.npy'), any(given))
  const writeFaiss = (given: unknown, kind?: unknown) => () =>
    node.writeFaiss(join(folder, 'out.faiss'), any(given), any(kind))
  return [
    () => node.readNpy(any(5)),
    () => node.readNpy(join(folder, 'missing.npy')),
    () => node.readNpy(folder),
    () => node.readNpy('/dev/null'),
    ofNpy(''),
    ofNpy('a,b,c'),
    ofNpy(Uint8Array.of(1, 2, 3)),
    ofNpy(npy('').subarray(0, 7)),
    ofNpy(npy('').subarray(0, 9)),
    ofNpy(npy('').subarray(0, 60)),
    ofNpy(npy('', new Uint8Array(0), [4, 0])),
    ofNpy(patched(npy('', new Uint8Array(0), [2, 0]), 8, 255, 255, 255, 127)),
    ofNpy(npy('5')),
    ofNpy(npy("{'descr': '<f4', 'descr': '<f4'}")),
    ofNpy(npy("{'descr': '<f4'} x")),
    ofNpy(npy("{'descr': [[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]}")),
    ofNpy(npy('{5: 6}')),
    ofNpy(npy("{'descr")),
    ofNpy(npy("{'de\\scr': 1}")),
    ofNpy(npy("{'descr': }")),
    ofNpy(npy("{'descr' 1}")),
    ofNpy(npy("{'descr': '<f4'}")),
    ofNpy(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'more': 1}")),
    ofNpy(patched(npy("{'descr': '<f4'}", new Uint8Array(0), [3, 0]), 20, 255)),
    dict("'<f4'", '1', '(2,)'),
    dict("'<f4'", 'True', '(2,)'),
    dict("'>f4'", 'False', '(2,)'),
    dict("'<i8'", 'False', '(2,)'),
    dict("'|O'", 'False', '(2,)'),
    dict("[('a', '<f4')]", 'False', '(2,)'),
    dict("'<f4'", 'False', '5'),
    dict("'<f4'", 'False', '()'),
    dict("'<f4'", 'False', `(${'1, '.repeat(70)})`),
    dict("'<f4'", 'False', '(-2,)'),
    dict("'<f4'", 'False', '(9007199254740991, 9)'),
    dict("'<f4'", 'False', '(3,)'),
    dict("'<f4'", 'False', '(2, 9007199254740)'),
    ofFaiss(''),
    ofFaiss(flat.subarray(0, 3)),
    ofFaiss('a,b,c'),
    ofFaiss(Uint8Array.of(1, 2, 3, 4)),
    ofFaiss('IHNf and more'),
    ofFaiss(flat.subarray(0, 20)),
    ofFaiss(patched(flat, 4, 0, 0, 0, 0)),
    ofFaiss(patched(bits, 4, 15)),
    ofFaiss(patched(bits, 8, 3)),
    ofFaiss(patched(flat, 15, 255)),
    ofFaiss(patched(flat, 8, 3)),
    ofFaiss(patched(flat, 32, 0)),
    ofFaiss(patched(flat, 33, 9)),
    ofFaiss(flat.subarray(0, flat.length - 4)),
    () => decodeIndex(any(5)),
    () => decodeIndex(new Uint8Array(0)),
    () => decodeIndex(Uint8Array.of(1, 2, 3)),
    () => decodeIndex(new TextEncoder().encode('<!doctype html><p>Sign in')),
    () => decodeIndex(new TextEncoder().encode('version https://git-lfs.github.com/spec/v1')),
    () => decodeIndex(encodeNpy(new Float32Array(4), [2, 2])),
    () => decodeIndex(new Uint8Array(20).fill(255)),
    () => decodeIndex(bytes.subarray(0, 100)),
    () => decodeIndex(safetensors('{"a" 5}')),
    () => decodeIndex(safetensors('{"a":1,"a":2}')),
    () => decodeIndex(safetensors(`{"a":${'['.repeat(9)}${']'.repeat(9)}}`)),
    () => decodeIndex(safetensors('{"__metadata__":5}')),
    () => decodeIndex(safetensors('{"__metadata__":{"a":5}}')),
    () => decodeIndex(safetensors('{"a":5}')),
    () => decodeIndex(safetensors('{"a":{}}')),
    () => decodeIndex(safetensors('{"a":{"dtype":"F99"}}')),
    () => decodeIndex(safetensors('{"a":{"dtype":"F4","shape":[1],"data_offsets":[0,1]}}')),
    () => decodeIndex(f32('"shape":[-1],"data_offsets":[0,4]')),
    () => decodeIndex(f32('"shape":[1],"data_offsets":[4,0]')),
    () => decodeIndex(f32('"shape":[2],"data_offsets":[0,4]')),
    () => decodeIndex(f32('"shape":[1],"data_offsets":[4,8]')),
    () => decodeIndex(safetensors('{}', new Uint8Array(5))),
    () => decodeIndex(safetensors('{}')),
    write(5),
    write({ data: 5, dims: [1] }),
    write({ ...array, dims: 5 }),
    write({ ...array, dims: [1.5] }),
    write({ ...array, dims: [7] }),
    write({ data: new BigInt64Array(2), dims: [2] }),
    writeFaiss(quantizeEmbeddings(rows, 'int8', silent)),
    writeFaiss({ ...array, dims: [6] }),
    writeFaiss({ ...array, data: new Float64Array(6) }),
    writeFaiss({ ...array }, 'cosine'),
    writeFaiss({ ...array, data: new Float32Array(0), dims: [2, 0] }),
  ]
}
