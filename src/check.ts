import { PackvecError, type PackvecErrorCode, withoutSecrets } from './errors.js'

/** How a value reads in an error message: short, and never the whole array. */
export function describe(value: unknown): string {
  if (typeof value === 'string') {
    // First the secrets of a URL, or half of a password would be left.
    const text = withoutSecrets(value.slice(0, 4096))
    return JSON.stringify(value.length > 4096 || text.length > 40 ? `${text.slice(0, 40)}...` : text)
  }
  if (typeof value === 'function') return 'a function'
  if (typeof value !== 'object' || value === null) return String(value)
  const tag = Object.prototype.toString.call(value).slice(8, -1)
  const length = (value as { length?: unknown }).length
  return typeof length === 'number' ? `${tag}(${length})` : tag
}

export function fail(code: PackvecErrorCode, argument: string, expected: string, received: string): never {
  throw new PackvecError(code, argument, `${argument} must be ${expected}, got ${received}`)
}

/** A whole number from `least` up, such as topK. */
export function checkCount(value: unknown, argument: string, least = 1): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least) return value
  return fail('INVALID_ARGUMENT', argument, `a whole number of at least ${least}`, describe(value))
}

/** A factor such as rescoreMultiplier: finite, at least 1, not necessarily whole. */
export function checkFactor(value: unknown, argument: string): number {
  if (typeof value === 'number' && Number.isFinite(value) && value >= 1) return value
  return fail('INVALID_ARGUMENT', argument, 'a finite number of at least 1', describe(value))
}

/** A finite number, such as minScore. */
export function checkFinite(value: unknown, argument: string): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value
  return fail('INVALID_ARGUMENT', argument, 'a finite number', describe(value))
}

export function checkOneOf<T extends string>(value: unknown, allowed: readonly T[], argument: string): T {
  if (allowed.includes(value as T)) return value as T
  return fail('INVALID_ARGUMENT', argument, `one of ${allowed.join(', ')}`, describe(value))
}

export function checkSameDims(argument: string, dims: number, expectedDims: number, owner: string): void {
  if (dims === expectedDims) return
  throw new PackvecError('DIMS_MISMATCH', argument, `${argument} has ${dims} dimensions, ${owner} has ${expectedDims}`)
}

/** A value that is NaN or infinite, or became so when it was rounded to float32. */
export function failNotFinite(argument: string, value: number | undefined, row: number, dimension: number): never {
  const message = `${argument} must be finite in float32, got ${value} at row ${row}, dimension ${dimension}`
  throw new PackvecError('NOT_FINITE', argument, message)
}
