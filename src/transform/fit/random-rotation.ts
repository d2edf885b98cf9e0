import { checkCount, fail } from '../../base/check.js'
import { MAX_DIMS } from '../../base/max-dims.js'
import { checkOptions, type OptionChecks } from '../../base/options.js'
import { checkSeed, seededNormals } from '../../base/random.js'
import { Rotation } from '../rotation.js'

/** What random numbers begin with: the same seed gives the same bits everywhere. */
export interface SeedOptions {
  /** A whole number from 0 to 2^32 - 1. Default 0. */
  readonly seed?: number | undefined
}

export const SEED_CHECKS: OptionChecks<SeedOptions> = { seed: checkSeed }

/**
 * A random orthogonal matrix, uniform over all of them (Haar measure), from a seed: the orthogonal factor of a matrix of
 * normal numbers, its triangular factor having a positive diagonal. By Stewart's method (SIAM J. Numer. Anal. 17, 1980) it is
 * multiplied together from the Householder reflectors of random vectors, in float64: dims^2 / 2 normals, 4/3 dims^3
 * operations. Normals: xoshiro128** and Marsaglia's polar method (`random.ts`); the same seed gives the same bits everywhere.
 * @throws PackvecError INVALID_ARGUMENT or TOO_LARGE
 */
export function randomRotation(dims: number, options?: SeedOptions): Rotation {
  const { seed = 0 } = checkOptions(options, SEED_CHECKS)
  checkCount(dims, 'dims')
  if (dims > MAX_DIMS) fail('TOO_LARGE', 'dims', `at most ${MAX_DIMS}`, String(dims))
  return Rotation.fromMatrix(Float32Array.from(randomOrthogonal(dims, seed)), dims, 'random', seed)
}

/** dims x dims in float64. */
export function randomOrthogonal(dims: number, seed: number): Float64Array {
  const normal = seededNormals(seed)
  const q = new Float64Array(dims * dims)
  const x = new Float64Array(dims)
  const along = new Float64Array(dims)
  const signs = new Float64Array(dims)
  // From the smallest reflector to the largest: what they have touched is the lower right block of q.
  for (let first = dims - 1; first >= 0; first--) {
    q[first * (dims + 1)] = 1
    let square = 0
    for (let i = first; i < dims; i++) {
      x[i] = normal()
      square += x[i]! * x[i]!
    }
    const sign = x[first]! < 0 ? -1 : 1
    if (first === dims - 1) {
      signs[first] = sign
      continue
    }
    // The reflector takes x to -sign |x| e: with the sign of its image, the diagonal of the triangular factor is positive.
    signs[first] = -sign
    const norm = Math.sqrt(square)
    x[first]! += sign * norm
    reflect(q, x, along, first, dims, 1 / (norm * Math.abs(x[first]!)))
  }
  for (let i = 0; i < q.length; i++) q[i]! *= signs[i % dims]!
  return q
}

/** q -= factor · x (x^T q) on the rows and columns from `first` on. */
function reflect(
  q: Float64Array,
  x: Float64Array,
  along: Float64Array,
  first: number,
  dims: number,
  factor: number,
): void {
  along.fill(0, first)
  for (let i = first; i < dims; i++) {
    const weight = x[i]!
    for (let j = first, at = i * dims + first; j < dims; j++, at++) along[j]! += weight * q[at]!
  }
  for (let i = first; i < dims; i++) {
    const weight = factor * x[i]!
    for (let j = first, at = i * dims + first; j < dims; j++, at++) q[at]! -= weight * along[j]!
  }
}
