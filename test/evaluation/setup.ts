import { seededRandom } from '../../src/evaluation/seeded.js'
import { unitRows } from '../random.js'

/** Rows of `classes` classes in turn, each a little longer along its own dimensions. */
export function classRows(rows: number, dims: number, classes: number, seed: number) {
  const random = seededRandom(seed)
  const data = Float32Array.from({ length: rows * dims }, (_, i) => {
    const [row, d] = [Math.floor(i / dims), i % dims]
    return random() - 0.5 + (d % classes === row % classes ? 0.35 : 0)
  })
  return { data, dims: [rows, dims] as [number, number] }
}

export function labelsOf(rows: number, classes: number): string[] {
  return Array.from({ length: rows }, (_, row) => `class ${row % classes}`)
}

export function tensor(rows: number, dims: number, seed: number) {
  return { data: unitRows(rows, dims, seed), dims: [rows, dims] as [number, number] }
}

/** Pairs whose second text is the first one with more and more noise, and scores that say so. */
export function pairs(rows: number, dims: number) {
  const a = tensor(rows, dims, 1)
  const noise = unitRows(rows, dims, 2)
  const share = (row: number) => row / rows
  const data = a.data.map((value, i) => {
    const part = share(Math.floor(i / dims))
    return (1 - part) * value + part * noise[i]!
  })
  const scores = Array.from({ length: rows }, (_, row) => 5 - 5 * share(row))
  return { kind: 'sts' as const, a, b: { data, dims: [rows, dims] as [number, number] }, scores }
}

export function classification() {
  return {
    kind: 'classification' as const,
    train: classRows(80, 12, 4, 1),
    trainLabels: labelsOf(80, 4),
    test: classRows(120, 12, 4, 2),
    testLabels: labelsOf(120, 4),
    draws: 2,
  }
}

export function retrieval() {
  return { kind: 'retrieval' as const, corpus: tensor(300, 16, 3), queries: tensor(20, 16, 4) }
}

/** The error that a promise ends in. */
export async function rejection(promise: Promise<unknown>): Promise<{ name: string; code: string; message: string }> {
  return promise.then(
    () => {
      throw new Error('expected the promise to be rejected')
    },
    (error) => error,
  )
}
