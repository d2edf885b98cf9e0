import { describe, fail } from '../base/check.js'
import { PackvecError } from '../base/errors.js'
import { isKnownKey, MAX_HEADER_BYTES } from '../index-file/layout.js'

/** More than a header takes without the caller's metadata. */
const OWN_BYTES = 1 << 13

/**
 * Refuses metadata that no reader would take, before a row is read: later the rows would be lost.
 * @throws PackvecError INVALID_ARGUMENT, TOO_LARGE
 */
export function checkMetadata(metadata: unknown): void {
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) {
    fail('INVALID_ARGUMENT', 'metadata', 'an object of strings', describe(metadata))
  }
  for (const [key, value] of Object.entries(metadata)) {
    if (isKnownKey(key) || key === '__proto__') {
      fail('INVALID_ARGUMENT', 'metadata', 'an object without the keys that packvec uses itself', describe(key))
    }
    if (typeof value !== 'string') {
      fail('INVALID_ARGUMENT', 'metadata', 'an object of strings', `${describe(value)} for ${describe(key)}`)
    }
  }
  const bytes = new TextEncoder().encode(JSON.stringify(metadata)).length
  const most = MAX_HEADER_BYTES - OWN_BYTES
  if (bytes <= most) return
  const message = `metadata must have at most ${most} bytes as JSON, got ${bytes}: keep large texts elsewhere`
  throw new PackvecError('TOO_LARGE', 'metadata', message)
}
