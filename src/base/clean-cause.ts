import { withoutSecrets } from './errors.js'

/** Causes of causes that are looked at. */
const MOST_CAUSES = 8

/**
 * The error behind one of ours: itself, or where it shows the secrets of a URL a copy without them, for logs print causes too.
 * Node's name the URL in their message, stack and `input`, `path`.
 */
export function cleanCause(cause: unknown, clean: (text: string) => string = withoutSecrets, depth = 0): unknown {
  if (typeof cause === 'string') return clean(cause)
  if (cause instanceof URL) return clean(cause.href)
  if (!(cause instanceof Error) || depth === MOST_CAUSES) return cause
  const copy = new Error(clean(cause.message))
  let differs = copy.message !== cause.message
  for (const key of new Set(['name', 'stack', ...Object.getOwnPropertyNames(cause)])) {
    const value = (cause as unknown as Record<string, unknown>)[key]
    const cleaned = cleanCause(value, clean, depth + 1)
    differs ||= cleaned !== value
    // Whatever else hangs on it may hold the URL anywhere.
    const isPlain = cleaned === null || typeof cleaned !== 'object' || cleaned instanceof Error
    if (isPlain) Object.defineProperty(copy, key, { value: cleaned, configurable: true, writable: true })
  }
  return differs ? copy : cause
}
