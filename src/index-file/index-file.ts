import { checkBytes } from '../base/check.js'
import { Checksum, type NewHasher, sha256Hex } from '../base/checksum.js'
import { invalid } from '../base/invalid.js'
import type { ColumnCodes } from '../codes/column.js'
import { columnType } from '../codes/factor.js'
import { decodeOffsets, encodeOffsets, idsLayout, offsetsFault, type StoredIds } from '../rows/ids.js'
import type { IndexState } from '../search/quantized-index.js'
import type { Recipe } from '../search/recipe.js'
import type { IndexRecords } from '../search/row-records.js'
import { checkSum } from './check-tensor.js'
import { asFileError, type IndexHeader, indexHeaderBytes, parseIndexHeader, type StoredIdTensors } from './header.js'
import { bytesOf, scaleBytes, tensorName } from './layout.js'
import { decodeScales, openParts, type TensorBytes } from './parts.js'
import { IndexPlan } from './plan.js'

/** What a file holds, checked: every array has the length that dims and rows say, every sum is right. */
export interface IndexContents extends Recipe {
  readonly rows: number
  readonly codes: readonly ColumnCodes[]
  readonly records: IndexRecords
}

/** One safetensors file: codes, scales and codebooks as tensors, the rest as metadata. `docs/format.md` has the names. */
export function writeIndex(
  { store, stages, transform, extras }: IndexState,
  newHasher: NewHasher,
): Uint8Array<ArrayBuffer> {
  const columns = store.spec.columns.map((column) => {
    const scales = store.scales(column)
    return scales === undefined ? column : { ...column, scale: columnType(scales, column.scale!) }
  })
  const { metadata = {}, ids, deleted } = extras ?? {}
  const layout = idsLayout(ids)
  const plan = new IndexPlan({
    stages,
    transform,
    rows: store.size,
    columns,
    ids: layout,
    deleted: deleted !== undefined,
    metadata,
  })
  const file = new Uint8Array(plan.byteLength)
  const sums = new Map<string, string>()
  const put = (name: string, bytes: Uint8Array) => file.set(bytes, plan.place(name).position)
  for (const column of columns) {
    const name = tensorName(column.precision)
    put(name, store.copyCodes(column))
    if (column.scale !== undefined) put(`${name}.scale`, scaleBytes(store.scales(column)!, column.scale))
  }
  if (deleted !== undefined) put('deleted', deleted)
  if (ids?.kind === 'numbers') put('ids', bytesOf(ids.values))
  if (ids?.kind === 'texts') {
    put('keys', ids.bytes)
    put('keys.offsets', encodeOffsets(ids.offsets, ids.bytes.length))
  }
  for (const { name, position, byteLength, data, digestsOf } of plan.tensors.values()) {
    if (digestsOf !== undefined) {
      const rows = plan.place(digestsOf)
      const checksum = new Checksum(rows.byteLength, newHasher)
      checksum.update(file.subarray(rows.position, rows.position + rows.byteLength))
      const { sha256, digests } = checksum.finish()
      sums.set(digestsOf, sha256)
      put(name, digests)
    } else if (data !== undefined) put(name, data)
    else continue
    sums.set(name, sha256Hex(file.subarray(position, position + byteLength), newHasher))
  }
  file.set(plan.header(sums, newHasher))
  return file
}

/** Reads a whole file. @throws PackvecError INVALID_FILE, naming the tensor, or UNSUPPORTED for a later version */
export function readIndex(bytes: Uint8Array | ArrayBuffer, newHasher: NewHasher): IndexContents {
  const file = checkBytes(bytes, 'bytes')
  indexHeaderBytes(file)
  const header = parseIndexHeader(file, file.length, newHasher)
  for (const tensor of header.tensors.values()) {
    const { position, byteLength } = tensor
    checkSum(tensor, sha256Hex(file.subarray(position, position + byteLength), newHasher), 'bytes')
  }
  const bytesOfTensor: TensorBytes = (name) => {
    const { position, byteLength } = header.tensors.get(name)!
    return file.subarray(position, position + byteLength)
  }
  return readContents(header, bytesOfTensor)
}

function readContents(header: IndexHeader, bytes: TensorBytes): IndexContents {
  const { rows, columns: stored, deleted, ownMetadata } = header
  const recipe = openParts(header, bytes)
  const codes = stored.map(({ precision, codes, scale }) => {
    const scales = scale && decodeScales(bytes(scale.tensor.name), scale.tensor.dtype, scale.tensor.name)
    return { precision, bytes: bytes(codes.name), scales }
  })
  const records = {
    metadata: ownMetadata,
    ids: asFileError(() => readIds(header.ids, bytes)),
    deleted: deleted && new Uint8Array(bytes(deleted.name)),
  }
  return { ...recipe, rows, codes, records }
}

/** The ids of a file, copied. @throws PackvecError INVALID_FILE */
export function readIds(ids: StoredIdTensors, bytes: TensorBytes): StoredIds | undefined {
  if (ids.kind === 'rows') return undefined
  if (ids.kind === 'numbers') {
    return { kind: 'numbers', values: new Uint32Array(new Uint8Array(bytes(ids.values.name)).buffer) }
  }
  const texts = new Uint8Array(bytes(ids.texts.name))
  const offsets = decodeOffsets(bytes(ids.offsets.name), ids.offsets.dtype)
  const fault = offsetsFault(offsets, texts.length)
  if (fault !== undefined) throw invalid('bytes', `tensor ${ids.offsets.name} ${fault}`)
  return { kind: 'texts', bytes: texts, offsets }
}
