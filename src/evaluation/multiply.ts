/**
 * out = a · bᵀ in float64: `a` is m x k, `b` is n x k, `out` m x n, all row after row. Blocks of 4 x 4 sums stay in
 * registers.
 */
export function multiplyTransposed(
  a: Float64Array,
  b: Float64Array,
  out: Float64Array,
  m: number,
  n: number,
  k: number,
): void {
  const wholeM = m - (m % 4)
  const wholeN = n - (n % 4)
  for (let i = 0; i < wholeM; i += 4) {
    for (let j = 0; j < wholeN; j += 4) block(a, b, out, i, j, n, k)
  }
  for (let i = 0; i < m; i++) {
    for (let j = i < wholeM ? wholeN : 0; j < n; j++) {
      let sum = 0
      for (let p = 0; p < k; p++) sum += a[i * k + p]! * b[j * k + p]!
      out[i * n + j] = sum
    }
  }
}

function block(a: Float64Array, b: Float64Array, out: Float64Array, i: number, j: number, n: number, k: number): void {
  let [c00, c01, c02, c03, c10, c11, c12, c13] = [0, 0, 0, 0, 0, 0, 0, 0]
  let [c20, c21, c22, c23, c30, c31, c32, c33] = [0, 0, 0, 0, 0, 0, 0, 0]
  const a0 = i * k
  const b0 = j * k
  for (let p = 0; p < k; p++) {
    const x0 = a[a0 + p]!
    const x1 = a[a0 + k + p]!
    const x2 = a[a0 + 2 * k + p]!
    const x3 = a[a0 + 3 * k + p]!
    const y0 = b[b0 + p]!
    const y1 = b[b0 + k + p]!
    const y2 = b[b0 + 2 * k + p]!
    const y3 = b[b0 + 3 * k + p]!
    c00 += x0 * y0
    c01 += x0 * y1
    c02 += x0 * y2
    c03 += x0 * y3
    c10 += x1 * y0
    c11 += x1 * y1
    c12 += x1 * y2
    c13 += x1 * y3
    c20 += x2 * y0
    c21 += x2 * y1
    c22 += x2 * y2
    c23 += x2 * y3
    c30 += x3 * y0
    c31 += x3 * y1
    c32 += x3 * y2
    c33 += x3 * y3
  }
  out.set([c00, c01, c02, c03], i * n + j)
  out.set([c10, c11, c12, c13], (i + 1) * n + j)
  out.set([c20, c21, c22, c23], (i + 2) * n + j)
  out.set([c30, c31, c32, c33], (i + 3) * n + j)
}

/** Rows of float32 as float64. */
export function widen(values: Float32Array): Float64Array<ArrayBuffer> {
  return Float64Array.from(values)
}

/** The transpose of `values`, rows x columns. */
export function transpose(values: Float64Array, rows: number, columns: number): Float64Array<ArrayBuffer> {
  const turned = new Float64Array(values.length)
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) turned[column * rows + row] = values[row * columns + column]!
  }
  return turned
}
