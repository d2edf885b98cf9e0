import { PackvecError, type PackvecErrorCode, withoutSecrets } from './errors.js'

/** A value as error messages show it: short, never a whole array. Takes any value. */
export function describe(value: unknown): string {
  if (typeof value === 'string') {
    // First the secrets of a URL, or half of a password would be left.
    const text = withoutSecrets(value.slice(0, 4096))
    return JSON.stringify(value.length > 4096 || text.length > 40 ? `${text.slice(0, 40)}...` : text)
  }
  if (typeof value === 'function') return 'a function'
  if (typeof value !== 'object' || value === null) return String(value)
  try {
    const tag = Object.prototype.toString.call(value).slice(8, -1)
    const length = (value as { length?: unknown }).length
    return typeof length === 'number' ? `${tag}(${length})` : tag
  } catch {
    return 'an object that cannot be read'
  }
}

/** Reads a caller's value; errors of its getters and proxies become a PackvecError. */
export function reading<T>(argument: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    // By its name: packvec/debug brings a class of its own.
    if ((cause as Error | null)?.name === 'PackvecError') throw cause
    throw new PackvecError('INVALID_ARGUMENT', argument, `${argument} cannot be read: ${describeError(cause)}`, {
      cause,
    })
  }
}

function describeError(cause: unknown): string {
  return isInstance(cause, Error) ? cause.message : describe(cause)
}

/** `instanceof` for any value of a caller: a proxy may throw. */
export function isInstance<T>(value: unknown, type: { readonly prototype: T }): value is T {
  try {
    return value instanceof (type as abstract new () => T)
  } catch {
    return false
  }
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

export function checkBoolean(value: unknown, argument: string): boolean {
  if (typeof value === 'boolean') return value
  return fail('INVALID_ARGUMENT', argument, 'true or false', describe(value))
}

export function checkString(value: unknown, argument: string): string {
  if (typeof value === 'string') return value
  return fail('INVALID_ARGUMENT', argument, 'a text', describe(value))
}

/** A list of values that the call checks one by one. It has no holes: there may be billions of them. */
export function checkArray(value: unknown, argument: string): readonly unknown[] {
  return reading(argument, () => {
    if (!Array.isArray(value)) return fail('INVALID_ARGUMENT', argument, 'an array', describe(value))
    for (const one of value) {
      if (one === undefined) fail('INVALID_ARGUMENT', argument, 'an array without undefined', describe(value))
    }
    return value
  })
}

/** Any iterable, synchronous or not. A string or an array of bytes is one value, not several. */
export function checkIterable(value: unknown, argument: string, expected: string): void {
  const isObject = typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)
  const holds = isObject && reading(argument, () => Symbol.iterator in value || Symbol.asyncIterator in value)
  if (!holds) fail('INVALID_ARGUMENT', argument, expected, describe(value))
}

/** A callback, such as onWarning. */
export function checkFunction(value: unknown, argument: string): void {
  // A class is no callback: it cannot be called.
  const isClass = typeof value === 'function' && /^class\b/.test(Function.prototype.toString.call(value))
  if (typeof value !== 'function' || isClass) {
    fail('INVALID_ARGUMENT', argument, 'a function', isClass ? 'a class' : describe(value))
  }
}

export function checkSignal(value: unknown, argument: string): void {
  if (!isInstance(value, AbortSignal)) fail('INVALID_ARGUMENT', argument, 'an AbortSignal', describe(value))
}

/** Bytes of a file, of a shared buffer too. Other views could end within a value. */
export function checkBytes(value: unknown, argument: string): Uint8Array {
  if (isInstance(value, Uint8Array)) return value
  const tag = reading(argument, () => Object.prototype.toString.call(value).slice(8, -1))
  if (tag === 'ArrayBuffer' || tag === 'SharedArrayBuffer') {
    return reading(argument, () => new Uint8Array(value as ArrayBuffer))
  }
  return fail('INVALID_ARGUMENT', argument, 'a Uint8Array or an ArrayBuffer', describe(value))
}

export function checkOneOf<T extends string>(value: unknown, allowed: readonly T[], argument: string): T {
  if (allowed.includes(value as T)) return value as T
  return fail('INVALID_ARGUMENT', argument, `one of ${allowed.join(', ')}`, describe(value))
}

export function checkSameDims(argument: string, dims: number, expectedDims: number, owner: string): void {
  if (dims === expectedDims) return
  const have = (name: string) => `${name} ${/[^u]s$/.test(name) ? 'have' : 'has'}`
  const message = `${have(argument)} ${dims} dimensions, ${have(owner)} ${expectedDims}`
  throw new PackvecError('DIMS_MISMATCH', argument, message)
}

/** @throws PackvecError EMPTY */
export function failEmpty(argument: string): never {
  throw new PackvecError('EMPTY', argument, `${argument} must have at least 1 row, got 0 rows`)
}

/** A value that is NaN or infinite, or became so when it was rounded to float32. */
export function failNotFinite(argument: string, value: number | undefined, row: number, dimension: number): never {
  const message = `${argument} must be finite in float32, got ${value} at row ${row}, dimension ${dimension}`
  throw new PackvecError('NOT_FINITE', argument, message)
}
