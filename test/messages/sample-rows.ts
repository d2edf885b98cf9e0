import type { Embeddings } from '../../src/index.js'

/** Four rows of three dimensions. */
export const rows = [
  [0.5, -1, 0.25],
  [-0.5, 1, 0.125],
  [1, 0.5, -2],
  [0.25, 0.5, 0.75],
]

/** Rows whose dimensions are nearly all positive. */
export function offCentre(count: number, dims: number): Embeddings {
  return Array.from({ length: count }, (_, i) => Array.from({ length: dims }, (_, d) => 2 + Math.sin(i * 1.7 + d)))
}

/** Rows of which one lies far outside. */
export function wide(count: number, dims: number): Embeddings {
  return Array.from({ length: count }, (_, i) =>
    Array.from({ length: dims }, (_, d) => Math.sin(i * 1.7 + d) * (i === 5 ? 1000 : 1)),
  )
}

/** Rows that reach as far as the factor says. */
export function scaled(count: number, factor: number): Embeddings {
  return Array.from({ length: count }, (_, i) =>
    Array.from({ length: 8 }, (_, d) => factor * Math.sin(i * 1.7 + d * d)),
  )
}
