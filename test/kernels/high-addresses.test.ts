import { describe, expect, test } from 'vitest'
import { referenceKernels } from '../../src/kernels/reference/reference.js'
import { dotScratchBytes, hammingScratchBytes } from '../../src/kernels/scratch-sizes.js'
import { BUILDS, openBuild, randomBytes, randomFloats, randomIntegers } from './open.js'

const PAGE_BYTES = 65_536
const GIB = 2 ** 30

// Untouched pages of a memory cost nothing, so that 4 GiB of it open at once.
describe.each(BUILDS)('above 2 GiB, %s build', (build) => {
  const [rowCount, dims, k] = [4101, 64, 20]
  const values = randomFloats(rowCount * dims, 1)
  const scratchBytes = Math.max(hammingScratchBytes(1, k, 8), dotScratchBytes(1, k))
  const query = Int16Array.from(randomIntegers(dims, 1000, 2))

  /** Packs, buckets and searches `rowCount` rows in the regions that begin at `base`; returns the codes and ranges. */
  function work(kernels: ReturnType<typeof openBuild>, buffer: ArrayBuffer, base: number): Uint8Array {
    const valuesPtr = base
    const bitsPtr = valuesPtr + values.byteLength
    const bytesPtr = bitsPtr + rowCount * 8
    const rangesPtr = bytesPtr + rowCount * dims
    const queryPtr = rangesPtr + 8 * dims
    const scratchPtr = queryPtr + 2 * dims
    const outPtr = scratchPtr + scratchBytes
    const at = (ptr: number, data: ArrayBufferView) =>
      new Uint8Array(buffer, ptr, data.byteLength).set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    at(valuesPtr, values)
    at(rangesPtr, new Float32Array(2 * dims).fill(-1, 0, dims).fill(2 / 255, dims))
    at(queryPtr, query)
    kernels.packBits(valuesPtr, bitsPtr, rowCount * 8)
    kernels.bucket(valuesPtr, 4 * dims, rowCount, rangesPtr, rangesPtr + 4 * dims, bytesPtr, dims, 0x80)
    kernels.hammingTopK(bitsPtr + 8 * 4099, 1, bitsPtr, rowCount, 8, k, scratchPtr, outPtr, outPtr + 4 * k)
    kernels.hammingTopKLanes(
      bitsPtr + 8 * 4099,
      1,
      bitsPtr,
      rowCount,
      8,
      k,
      scratchPtr,
      outPtr + 16 * k,
      outPtr + 20 * k,
    )
    kernels.dotI8TopK(queryPtr, 1, bytesPtr, rowCount, dims, k, scratchPtr, outPtr + 8 * k, outPtr + 12 * k)
    at(outPtr + 24 * k, new Float32Array(new Uint8Array(buffer).slice(outPtr + 4 * k, outPtr + 8 * k).buffer))
    kernels.selectBest(outPtr, outPtr + 24 * k, k, k, scratchPtr, outPtr + 28 * k, outPtr + 24 * k)
    kernels.minMax(valuesPtr, 4 * dims, rowCount, rangesPtr, rangesPtr + 4 * dims)
    at(valuesPtr + 4 * (values.length - 5), Float32Array.of(Number.NaN))
    expect(kernels.firstNonFinite(valuesPtr, values.length)).toBe(values.length - 5)
    return new Uint8Array(buffer).slice(bitsPtr, scratchPtr)
  }

  const needed = values.byteLength + rowCount * (8 + dims) + 10 * dims + scratchBytes + 32 * k

  test.each([
    ['across 2 GiB', 2 * GIB - 600_000],
    ['above 2 GiB', 2 * GIB + 8 * PAGE_BYTES + 1],
    ['up to the last byte of 4 GiB', 4 * GIB - needed],
  ])('kernels give the same bytes %s as in a small memory', (_, base) => {
    const pages = 4 * (GIB / PAGE_BYTES)
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages })
    const high = work(openBuild(build, memory), memory.buffer as ArrayBuffer, base)
    const highOut = new Uint8Array(memory.buffer).slice(base + needed - 32 * k, base + needed)
    const small = new ArrayBuffer(PAGE_BYTES + needed)
    const low = work(referenceKernels(small), small, PAGE_BYTES)
    expect(Buffer.compare(high, low)).toBe(0)
    expect(highOut).toEqual(new Uint8Array(small).slice(-32 * k))
  })

  test('float rows that lie above 2 GiB are found by number', () => {
    const pages = 3 * (GIB / PAGE_BYTES)
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages })
    const kernels = openBuild(build, memory)
    // Rows of 1 KiB, two of them at numbers whose product with the row bytes passes 2^31.
    const [rowBytes, rowsPtr] = [1024, PAGE_BYTES]
    const ids = [2_200_000, 2_900_000, 5]
    for (const id of ids) new Float32Array(memory.buffer, rowsPtr + id * rowBytes, 256).fill(id)
    new Float32Array(memory.buffer, PAGE_BYTES, 256).fill(0.5)
    const idsPtr = PAGE_BYTES + 1024
    new Uint32Array(memory.buffer, idsPtr, 3).set(ids)
    kernels.dotF32Rows(PAGE_BYTES, rowsPtr, rowBytes, idsPtr, 3, idsPtr + 64)
    expect([...new Float32Array(memory.buffer, idsPtr + 64, 3)]).toEqual(ids.map((id) => id * 128))
  })
})

test('random data differ in every byte lane', () => {
  expect(new Set(randomBytes(4096, 1)).size).toBe(256)
})
