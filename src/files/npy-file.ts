import { KIND_BYTES } from '../formats/kind.js'
import {
  allocateNpy,
  checkNpyFileBytes,
  NPY_PREAMBLE_BYTES,
  type NpyArray,
  type NpyHeader,
  npyDataOffset,
  parseNpyHeader,
} from '../formats/npy.js'
import type { OpenFile } from './file.js'

/** The header alone, checked against the length of the file. */
export async function readNpyHeader(file: OpenFile): Promise<NpyHeader> {
  // More than a header needs, to recognise files of other kinds.
  const preamble = await file.prefix(Math.max(KIND_BYTES, NPY_PREAMBLE_BYTES))
  const header = parseNpyHeader(await file.prefix(npyDataOffset(preamble)))
  checkNpyFileBytes(header, file.bytes)
  return header
}

/** The whole array, read into the buffer it stays in. */
export async function readNpyArray(file: OpenFile): Promise<NpyArray> {
  const header = await readNpyHeader(file)
  const { target, finish } = allocateNpy(header)
  await file.read(header.dataOffset, target)
  return finish()
}
