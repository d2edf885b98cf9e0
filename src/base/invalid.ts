import { PackvecError } from './errors.js'

/** A fault in the bytes of a file. Callers that know the name of the file or its source add it. */
export function invalid(argument: string, message: string, options?: ErrorOptions): PackvecError {
  return new PackvecError('INVALID_FILE', argument, message, options)
}

/** A whole number in the metadata of a file. @throws PackvecError INVALID_FILE */
export function countIn(metadata: Readonly<Record<string, string>>, key: string, least: number, most: number): number {
  const text = metadata[key]
  const value = Number(text)
  if (text === undefined || !/^\d+$/.test(text) || !Number.isSafeInteger(value)) {
    throw invalid('bytes', `metadata ${key} must be a whole number, got ${text?.slice(0, 80) ?? 'nothing'}`)
  }
  if (value >= least && value <= most) return value
  throw invalid('bytes', `metadata ${key} must be ${least} to ${most}, got ${value}`)
}
