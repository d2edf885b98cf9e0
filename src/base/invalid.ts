import { PackvecError } from './errors.js'

/** A fault in the bytes of a file. Callers that know the name of the file or its source add it. */
export function invalid(argument: string, message: string, options?: ErrorOptions): PackvecError {
  return new PackvecError('INVALID_FILE', argument, message, options)
}
