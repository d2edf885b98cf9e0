/** Views and writes of the plain TypeScript kernels over one buffer. */
export function referenceMemory(buffer: ArrayBuffer) {
  // Addresses need no alignment, views of 4-byte numbers do: what is not aligned is read from a copy.
  const place = (ptr: number, byteLength: number): [ArrayBuffer, number] =>
    ptr % 4 === 0 ? [buffer, ptr] : [buffer.slice(ptr, ptr + byteLength), 0]
  const floats = (ptr: number, count: number) => new Float32Array(...place(ptr, 4 * count), count)
  const words = (ptr: number, count: number) => new Uint32Array(...place(ptr, 4 * count), count)
  const shorts = (ptr: number, count: number) => new Int16Array(...place(ptr, 2 * count), count)
  const int8 = (ptr: number, count: number) => new Int8Array(buffer, ptr, count)
  const uint8 = (ptr: number, count: number) => new Uint8Array(buffer, ptr, count)
  const write = (ptr: number, values: Float32Array | Int32Array | Uint32Array) =>
    uint8(ptr, values.byteLength).set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))

  return { floats, words, shorts, int8, uint8, write }
}

export type ReferenceMemory = ReturnType<typeof referenceMemory>
