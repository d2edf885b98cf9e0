import {
  allocateFaiss,
  FAISS_HEADER_BYTES,
  type FaissArray,
  type FaissHeader,
  parseFaissHeader,
} from '../formats/faiss.js'
import { KIND_BYTES } from '../formats/kind.js'
import type { OpenFile } from './file.js'

/** The header alone, checked against the length of the file. */
export async function readFaissHeader(file: OpenFile): Promise<FaissHeader> {
  return parseFaissHeader(await file.prefix(Math.max(KIND_BYTES, FAISS_HEADER_BYTES)), file.bytes)
}

/** The whole index, read into the buffer it stays in. */
export async function readFaissArray(file: OpenFile): Promise<FaissArray> {
  const header = await readFaissHeader(file)
  const { target, array } = allocateFaiss(header)
  await file.read(header.dataOffset, target)
  return array
}
