import { PackvecError } from './errors.js'

/** What is wrong with the bytes of a file; whoever knows the name of the source adds it. */
export function damaged(what: string): PackvecError {
  return new PackvecError('INVALID_FILE', 'source', what)
}
