import { type LinearKernels, PANEL_COLUMNS, paddedF64, sweepBytes } from '../linear-kernels.js'

type EigenKernels = Pick<LinearKernels, 'tridiagonalise' | 'accumulateReflectors' | 'recordSweeps' | 'applySweeps'>

const TINY = 1e-280
const EPSILON = Number.EPSILON / 2
const MAX_SWEEPS = 60
const SMALL = 1e-140

/** The eigen-decomposition in plain TypeScript: see `assembly/tridiagonal.ts`, `reflectors.ts`, `eigen.ts`, `sweeps.ts`. */
export function referenceEigenKernels(buffer: ArrayBuffer): EigenKernels {
  const f64 = (ptr: number, length: number) => new Float64Array(buffer, ptr, length)

  return {
    tridiagonalise(matrixPtr, dims, fromRow, toRow, diagonalPtr, offDiagonalPtr, scratchPtr) {
      const stride = paddedF64(dims)
      const u = f64(scratchPtr, stride)
      const q = f64(scratchPtr + 8 * stride, stride)
      const y = f64(scratchPtr + 16 * stride, stride)
      const diagonal = f64(diagonalPtr, dims)
      const offDiagonal = f64(offDiagonalPtr, dims)
      const rowAt = (row: number) => f64(matrixPtr + 8 * stride * row, stride)
      if (fromRow === dims - 1) {
        u.fill(0)
        q.fill(0)
      }
      for (let row = fromRow; row >= toRow; row--) {
        const x = rowAt(row)
        updateRow(x, row, u, q)
        diagonal[row] = x[row]!
        if (row === 0) return
        offDiagonal[row - 1] = makeReflector(x, row)
        for (let i = 0; i < row; i += 2) {
          updateRow(rowAt(i), i, u, q)
          if (i + 1 < row) {
            updateRow(rowAt(i + 1), i + 1, u, q)
            multiplyTwoRows(rowAt(i), rowAt(i + 1), i, x, y)
          } else {
            const a = rowAt(i)
            for (let j = 0; j < i; j++) y[j] = y[j]! + a[j]! * x[i]!
            y[i] = dot(a, x, i + 1)
          }
        }
        const half = dot(x, y, row) * 0.5
        for (let j = 0; j < row; j++) {
          u[j] = x[j]!
          q[j] = y[j]! - half * x[j]!
        }
      }
    },

    accumulateReflectors(matrixPtr, dims, fromRow, toRow, scratchPtr) {
      const stride = paddedF64(dims)
      const [u0, u1, u2, u3] = [0, 1, 2, 3].map((i) => f64(scratchPtr + 8 * stride * i, stride)) as Four<Float64Array>
      const us = [u0, u1, u2, u3]
      for (let first = fromRow; first < toRow; first += 4) {
        const count = first + 4
        for (let row = 0; row < first; row++) f64(matrixPtr + 8 * (stride * row + first), 4).fill(0)
        us.forEach((u, i) => {
          const row = f64(matrixPtr + 8 * stride * (first + i), stride)
          u.fill(0)
          if (first + i < dims) u.set(row.subarray(0, first + i))
          row.fill(0, 0, count)
          row[first + i] = 1
        })
        const g01 = dot(u0, u1, count)
        const g02 = dot(u0, u2, count)
        const g03 = dot(u0, u3, count)
        const g12 = dot(u1, u2, count)
        const g13 = dot(u1, u3, count)
        const g23 = dot(u2, u3, count)
        for (let row = 0; row < count; row++) {
          const z = f64(matrixPtr + 8 * stride * row, stride)
          const c0 = dot(z, u0, count)
          const c1 = dot(z, u1, count) - c0 * g01
          const c2 = dot(z, u2, count) - (c0 * g02 + c1 * g12)
          const c3 = dot(z, u3, count) - (c0 * g03 + c1 * g13 + c2 * g23)
          for (let j = 0; j < count; j++) z[j] = z[j]! - (c0 * u0[j]! + c1 * u1[j]! + (c2 * u2[j]! + c3 * u3[j]!))
        }
      }
    },

    recordSweeps(dims, diagonalPtr, offDiagonalPtr, tolerance, statePtr, sweepsPtr, sweepLimit) {
      const d = f64(diagonalPtr, dims)
      const e = f64(offDiagonalPtr, dims)
      const state = new Uint32Array(buffer, statePtr, 2)
      let [first, spent] = [state[0]!, state[1]!]
      let recorded = 0
      while (first < dims && recorded < sweepLimit) {
        const end = blockEnd(first, d, e, tolerance)
        if (end === first) {
          first++
          spent = 0
          continue
        }
        if (++spent > MAX_SWEEPS) return -1
        const sweepPtr = sweepsPtr + recorded * sweepBytes(dims)
        const from = sweep(first, end, d, e, f64(sweepPtr, 2 * (dims + 1)))
        new Uint32Array(buffer, sweepPtr, 2).set([from, end])
        recorded++
      }
      state.set([first, spent])
      return recorded
    },

    applySweeps(panelsPtr, dims, panelCount, sweepsPtr, sweepCount) {
      for (let panel = 0; panel < panelCount; panel++) {
        const rows = f64(panelsPtr + panel * 8 * PANEL_COLUMNS * dims, PANEL_COLUMNS * dims)
        for (let i = 0; i < sweepCount; i++) {
          const sweepPtr = sweepsPtr + i * sweepBytes(dims)
          const [first, end] = new Uint32Array(buffer, sweepPtr, 2) as unknown as [number, number]
          const rotations = f64(sweepPtr, 2 * (dims + 1))
          for (let row = end - 1; row >= first; row--) {
            const c = rotations[2 * (row + 1)]!
            const s = rotations[2 * (row + 1) + 1]!
            for (let j = row * PANEL_COLUMNS; j < (row + 1) * PANEL_COLUMNS; j++) {
              const x = rows[j]!
              const y = rows[j + PANEL_COLUMNS]!
              rows[j + PANEL_COLUMNS] = s * x + c * y
              rows[j] = c * x - s * y
            }
          }
        }
      }
    },
  }
}

type Four<T> = [T, T, T, T]

/** Even entries in one sum, odd ones in the other, then a last one: two lanes. */
function dot(a: Float64Array, b: Float64Array, count: number): number {
  let even = 0
  let odd = 0
  const pairs = count - (count % 2)
  for (let i = 0; i < pairs; i += 2) {
    even += a[i]! * b[i]!
    odd += a[i + 1]! * b[i + 1]!
  }
  return count % 2 ? even + odd + a[pairs]! * b[pairs]! : even + odd
}

function updateRow(a: Float64Array, row: number, u: Float64Array, q: Float64Array): void {
  const [ui, qi] = [u[row]!, q[row]!]
  for (let j = 0; j <= row; j++) a[j] = a[j]! - (ui * q[j]! + qi * u[j]!)
}

/** Rows i and i + 1 of the lower triangle times x, and their mirror images above the diagonal, added to y. */
function multiplyTwoRows(a0: Float64Array, a1: Float64Array, i: number, x: Float64Array, y: Float64Array): void {
  const [x0, x1] = [x[i]!, x[i + 1]!]
  for (let j = 0; j < i; j++) y[j] = y[j]! + (a0[j]! * x0 + a1[j]! * x1)
  y[i] = dot(a0, x, i) + (a0[i]! * x0 + a1[i]! * x1)
  y[i + 1] = dot(a1, x, i) + (a1[i]! * x0 + a1[i + 1]! * x1)
}

function makeReflector(x: Float64Array, count: number): number {
  const alpha = x[count - 1]!
  const rest = dot(x, x, count - 1)
  if (rest <= TINY) {
    x.fill(0, 0, count)
    return alpha
  }
  const length = Math.sqrt(rest + alpha * alpha)
  const inverse = 1 / Math.sqrt(length * (length + Math.abs(alpha)))
  const image = alpha > 0 ? -length : length
  x[count - 1] = alpha - image
  for (let j = 0; j < count; j++) x[j] = x[j]! * inverse
  return image
}

function blockEnd(first: number, d: Float64Array, e: Float64Array, tolerance: number): number {
  for (let end = first; end < d.length - 1; end++) {
    const coupling = Math.abs(e[end]!)
    if (coupling <= tolerance || coupling <= EPSILON * (Math.abs(d[end]!) + Math.abs(d[end + 1]!))) {
      e[end] = 0
      return end
    }
  }
  return d.length - 1
}

/** One QL sweep from row `end` up; returns the row it reached, which is `first` unless the matrix splits on the way. */
function sweep(first: number, end: number, d: Float64Array, e: Float64Array, rotations: Float64Array): number {
  const slope = (d[first + 1]! - d[first]!) / (2 * e[first]!)
  const root = hypotenuse(slope, 1)
  let g = d[end]! - d[first]! + e[first]! / (slope + (slope < 0 ? -root : root))
  let [s, c, p] = [1, 1, 0]
  for (let row = end - 1; row >= first; row--) {
    const f = s * e[row]!
    const b = c * e[row]!
    const r = hypotenuse(f, g)
    if (row + 1 < end) e[row + 1] = r
    if (r === 0) {
      d[row + 1]! -= p
      e[row] = b
      return row + 1
    }
    s = f / r
    c = g / r
    g = d[row + 1]! - p
    const t = (d[row]! - g) * s + 2 * c * b
    p = s * t
    d[row + 1] = g + p
    g = c * t - b
    rotations[2 * (row + 1)] = c
    rotations[2 * (row + 1) + 1] = s
  }
  d[first]! -= p
  e[first] = g
  return first
}

function hypotenuse(a: number, b: number): number {
  const larger = Math.max(Math.abs(a), Math.abs(b))
  if (larger < 1e-290) return 0
  if (larger < SMALL) return Math.sqrt(a * 1e200 * (a * 1e200) + b * 1e200 * (b * 1e200)) * 1e-200
  return Math.sqrt(a * a + b * b)
}
