import { type LinearKernels, paddedF64 } from '../linear-kernels.js'
import { referenceEigenKernels } from './eigen.js'

/**
 * The linear algebra in plain TypeScript: the fallback where WebAssembly SIMD is missing, and the oracle of the kernel
 * tests. It adds in the order of the wasm, so that both give the same bits.
 */
export function referenceLinearKernels(buffer: ArrayBuffer): LinearKernels {
  const f32 = (ptr: number, length: number) => new Float32Array(buffer, ptr, length)
  const f64 = (ptr: number, length: number) => new Float64Array(buffer, ptr, length)

  return {
    ...referenceEigenKernels(buffer),

    addMoments(valuesPtr, valueRowBytes, rowCount, dims, momentsPtr, sumsPtr) {
      const stride = paddedF64(dims)
      const moments = f64(momentsPtr, stride * dims)
      const sums = f64(sumsPtr, dims)
      for (let r = 0; r < rowCount; r++) {
        const row = f32(valuesPtr + r * valueRowBytes, dims)
        for (let i = 0; i < dims; i++) {
          const x = row[i]!
          sums[i]! += x
          for (let j = 0; j <= i; j++) moments[i * stride + j]! += x * row[j]!
        }
      }
    },

    multiplyF64(aPtr, bPtr, outPtr, n, m, k, transposeA) {
      const aStride = paddedF64(transposeA ? n : m)
      const stride = paddedF64(k)
      const a = f64(aPtr, aStride * (transposeA ? m : n))
      const b = f64(bPtr, stride * m)
      const out = f64(outPtr, stride * n)
      for (let i = 0; i < n; i++) {
        const row = out.subarray(i * stride, (i + 1) * stride).fill(0)
        for (let p = 0; p < m; p++) {
          const x = transposeA ? a[p * aStride + i]! : a[i * aStride + p]!
          for (let j = 0; j < k; j++) row[j]! += x * b[p * stride + j]!
        }
      }
    },
  }
}
