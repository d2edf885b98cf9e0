/** The kind of fault, as a stable word that a program can switch on. */
export type PackvecErrorCode =
  | 'NOT_FINITE'
  | 'RAGGED_ROWS'
  | 'EMPTY'
  | 'ZERO_DIMS'
  | 'DIMS_MISMATCH'
  | 'WRONG_WIDTH'
  | 'INVALID_RANGES'
  | 'CALIBRATION_REQUIRED'
  | 'QUANTIZED_INPUT'
  | 'INVALID_ARGUMENT'
  | 'INVALID_FILE'
  | 'UNSUPPORTED'
  | 'TOO_LARGE'
  | 'IO'
  | 'DISPOSED'
  | 'ABORTED'
  | 'TIMEOUT'
  | 'CHANGED'
  | 'LOCKED'

/** Scheme; user and password; host and path; query and fragment, without the punctuation that ends a sentence. */
const URLS = /\b([a-z][a-z\d+.-]{0,20}:[\\/]{2})(?:[^\s\\/?#]*@)?([^\s?#]*)(?:[?#]\S*?(?=["'`)\].,:;]{0,3}(?:\s|$)))?/gi

/** A text without the secrets of its URLs: users, passwords, queries and fragments stay out of logs. */
export function withoutSecrets(text: string): string {
  return text.replace(URLS, '$1$2')
}

/** The only error type of packvec. `argument` names the wrong value; the message says what was expected and what came. */
export class PackvecError extends Error {
  override readonly name = 'PackvecError'
  readonly code: PackvecErrorCode
  readonly argument: string

  /** `cause` in the options keeps the error of the host behind this one. */
  constructor(code: PackvecErrorCode, argument: string, message: string, options?: ErrorOptions) {
    // Plain JavaScript may call it with anything: an error must not fail.
    super(typeof message === 'string' ? withoutSecrets(message) : typeof message, options)
    this.code = code
    this.argument = argument
  }
}
