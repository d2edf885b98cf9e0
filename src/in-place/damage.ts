import { PackvecError } from '../base/errors.js'
import type { ByteSource } from '../sources/source.js'

/**
 * Names the source of a fault in a file's bytes. If the file is no longer the one that was opened, that is the fault.
 * @throws PackvecError CHANGED, or the fault with the name of the source
 */
export async function explain(source: ByteSource, fault: unknown): Promise<never> {
  if (!(fault instanceof PackvecError) || fault.code !== 'INVALID_FILE') throw fault
  // A copy whose bytes are wrong is removed, so that the next opening fetches the file again.
  await source.discard?.().catch(() => {})
  try {
    await source.checkUnchanged?.()
  } catch (change) {
    // Other errors of the check say nothing about the fault.
    if (change instanceof PackvecError && change.code === 'CHANGED') throw change
  }
  if (fault.message.startsWith(`${source.name}:`)) throw fault
  throw new PackvecError(fault.code, fault.argument, `${source.name}: ${fault.message}`, { cause: fault })
}
