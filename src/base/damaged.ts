import { PackvecError } from './errors.js'

/** A fault in the bytes of a file. Callers that know the name of the source add it. */
export function damaged(what: string): PackvecError {
  return new PackvecError('INVALID_FILE', 'source', what)
}
