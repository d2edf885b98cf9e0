import { linearRegression, linearRegressionLine, rSquared } from 'simple-statistics'
import { PackvecError } from '../base/errors.js'
import type { Embeddings } from '../rows/matrix.js'
import { type FloatRows, toFloatRows } from './floats.js'
import { allSingularValues } from './singular.js'

/** A line through logarithms of the singular values. */
export interface DecayFit {
  /** Exponential: value i (from 1) is about `start` · exp(-rate · i). Power: about `start` · i ** -rate. */
  readonly rate: number
  readonly start: number
  /** Share of the variance of the logarithms that the line explains, 0 to 1. */
  readonly rSquared: number
}

/** The singular values of embeddings, and how fast they fall. */
export interface Spectrum {
  readonly rows: number
  readonly dims: number
  /** Singular values, largest first: min(rows, dims) of them count, `dims` are given. */
  readonly singularValues: number[]
  /** Share of the squared values in the first 1, 2, ... directions: `dims` numbers that end at 1. */
  readonly cumulativeEnergy: number[]
  /** Singular values above 1e-7 of the largest: what is smaller is the rounding of float32 embeddings. */
  readonly rank: number
  /** exp of the entropy of the shares of energy: how many directions would carry it if all carried the same. */
  readonly effectiveRank: number
  /** Directions that carry 90, 95 and 99 % of the energy. */
  readonly dimsForEnergy: { readonly 90: number; readonly 95: number; readonly 99: number }
  /** Over the values that count towards the rank; undefined with fewer than 3 of them. */
  readonly decay: { readonly exponential: DecayFit; readonly power: DecayFit } | undefined
}

/**
 * Singular values of embeddings, rows x dims, and what they tell about how many dimensions are used. The rows are not
 * centred.
 *
 * Method: see `singularValues` in `packvec/rotations`. Effective rank: Roy & Vetterli, "The effective rank: a measure
 * of effective dimensionality", 2007.
 * @throws PackvecError EMPTY, NOT_FINITE, INVALID_ARGUMENT (all zeros), and those of the shape
 */
export function spectrum(embeddings: Embeddings): Spectrum {
  return spectrumOfRows(toFloatRows(embeddings, 'embeddings'))
}

/** The same of rows that have been read and checked. */
export function spectrumOfRows(floats: FloatRows): Spectrum {
  const { rows, dims } = floats
  const values = allSingularValues(floats)
  const largest = values[0]!
  if (largest === 0) {
    throw new PackvecError('INVALID_ARGUMENT', 'embeddings', 'embeddings must not all be zeros: those have no spectrum')
  }
  const squares = values.map((value) => value * value)
  const total = squares.reduce((sum, square) => sum + square, 0)
  let energy = 0
  const cumulativeEnergy = Array.from(squares, (square) => {
    energy += square
    return Math.min(1, energy / total)
  })
  cumulativeEnergy[dims - 1] = 1
  const entropy = squares.reduce(
    (sum, square) => sum - (square > 0 ? (square / total) * Math.log(square / total) : 0),
    0,
  )
  const negligible = 1e-7 * largest
  const counting = Array.from(values.filter((value) => value > negligible)).slice(0, rows)
  const dimsFor = (share: number) => 1 + cumulativeEnergy.findIndex((carried) => carried >= share)
  return {
    rows,
    dims,
    singularValues: Array.from(values),
    cumulativeEnergy,
    rank: counting.length,
    effectiveRank: Math.exp(entropy),
    dimsForEnergy: { 90: dimsFor(0.9), 95: dimsFor(0.95), 99: dimsFor(0.99) },
    decay: counting.length < 3 ? undefined : { exponential: fit(counting, (i) => i), power: fit(counting, Math.log) },
  }
}

/** Least squares of log(value) over the positions 1, 2, ..., or over a function of them. */
function fit(values: readonly number[], along: (position: number) => number): DecayFit {
  const points = values.map((value, i) => [along(i + 1), Math.log(value)])
  const line = linearRegression(points)
  const explained = rSquared(points, linearRegressionLine(line))
  return { rate: 0 - line.m, start: Math.exp(line.b), rSquared: Number.isFinite(explained) ? explained : 1 }
}
