import type { RotateKernels } from '../rotate-kernels.js'

/** The rotation kernels in plain TypeScript, adding in the order of the wasm. */
export function referenceRotateKernels(buffer: ArrayBuffer): RotateKernels {
  const { fround } = Math
  const f32 = (ptr: number, length: number) => new Float32Array(buffer, ptr, length)

  return {
    rotateRows(rowsPtr, rowBytes, rowCount, matrixPtr, outPtr, outRowBytes) {
      const inner = rowBytes / 4
      const outDims = outRowBytes / 4
      const matrix = f32(matrixPtr, inner * outDims)
      for (let r = 0; r < rowCount; r++) {
        const row = f32(rowsPtr + r * rowBytes, inner)
        const out = f32(outPtr + r * outRowBytes, outDims).fill(0)
        for (let p = 0; p < inner; p++) {
          const x = row[p]!
          for (let j = 0; j < outDims; j++) out[j] = out[j]! + fround(x * matrix[p * outDims + j]!)
        }
      }
    },

    hadamardRows(rowsPtr, rowBytes, rowCount, blockDims, blockCount, signsPtr, scale) {
      const signs = f32(signsPtr, blockDims * blockCount)
      const factor = fround(scale)
      for (let r = 0; r < rowCount; r++) {
        const row = f32(rowsPtr + r * rowBytes, blockDims * blockCount)
        for (let i = 0; i < row.length; i++) row[i] = row[i]! * signs[i]! * factor
        for (let half = 1; half < blockDims; half *= 2) {
          for (let i = 0; i < row.length; i++) {
            if (i & half) continue
            const a = row[i]!
            const b = row[i + half]!
            row[i] = a + b
            row[i + half] = a - b
          }
        }
      }
    },
  }
}
