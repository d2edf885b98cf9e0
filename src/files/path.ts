import { fileURLToPath } from 'node:url'
import { describe, fail, isInstance } from '../base/check.js'

/** A path as callers may give it: a text, or a file: URL. @throws PackvecError INVALID_ARGUMENT */
export function checkPath(path: unknown, argument = 'path'): string {
  if (isInstance(path, URL)) return pathOfUrl(path, argument)
  if (typeof path === 'string' && path !== '' && !path.includes('\0')) return path
  return fail('INVALID_ARGUMENT', argument, 'a path, as a text or a file: URL', describe(path))
}

/** @throws PackvecError INVALID_ARGUMENT for a file: URL of another machine, or no URL of a file */
export function pathOfUrl(url: URL | string, argument: string): string {
  try {
    return fileURLToPath(url)
  } catch (cause) {
    return fail('INVALID_ARGUMENT', argument, 'a path or a file: URL of this machine', (cause as Error).message)
  }
}
