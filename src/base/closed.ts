import { PackvecError } from './errors.js'

/** What every use of an index or a pool meets once the caller has ended it. @param how it ended, and the remedy */
export function closedError(argument: 'index' | 'pool', how: string): PackvecError {
  return new PackvecError('DISPOSED', argument, `the ${argument} was ${how}`)
}
