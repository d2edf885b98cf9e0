import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { vi } from 'vitest'

/** A call that raises an error or warns. */
export type Provocation = () => unknown

export interface Message {
  /** The code of the error, or 'warning'. */
  readonly code: string
  readonly argument: string
  readonly text: string
}

const ROOT = join(import.meta.dirname, '../..')
/** What raises: the constructor, and the helpers that call it; `pool.fail(error)` passes an error on. */
const RAISES =
  /\bfail\((?:['`]|$)|\b(?:damaged|invalid|unsupported|refuse|cut|cutOff|tooLarge|tooLong|changed|new PackvecError)\(/
const DEFINES = /^\s*(?:export )?(?:private )?(?:async )?function |^\s*(?:private )?fail\(what/

/** Runs a call, and gives the error that it raised and the warnings that it gave. */
export async function provoke(call: Provocation): Promise<{ messages: Message[]; places: string[] }> {
  const messages: Message[] = []
  const spy = vi.spyOn(console, 'warn').mockImplementation((text: string) => {
    messages.push({ code: 'warning', argument: '', text })
  })
  const places: string[] = []
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 60
  try {
    await call()
  } catch (error) {
    const { name, code, argument, message } = error as { name: string; code: string; argument: string; message: string }
    if (name !== 'PackvecError') throw error
    messages.push({ code, argument, text: message })
    for (let cause = error; cause instanceof Error; cause = cause.cause) places.push(...framesOf(cause))
  } finally {
    Error.stackTraceLimit = limit
    spy.mockRestore()
  }
  return { messages, places }
}

/** The lines of `src/` that an error passed, as `codes/levels.ts:87`. */
function framesOf({ stack = '' }: Error): string[] {
  return Array.from(stack.matchAll(/\/src\/([\w./-]+\.ts):(\d+)/g), ([, file, line]) => `${file}:${line}`)
}

let places: string[] | undefined

/** The lines of `src/` that raise an error. */
export function raisingPlaces(): readonly string[] {
  places ??= findPlaces()
  return places
}

function findPlaces(): string[] {
  const src = join(ROOT, 'src')
  const files = readdirSync(src, { recursive: true, withFileTypes: true }).filter(({ name }) => name.endsWith('.ts'))
  return files.flatMap(({ parentPath, name }) => {
    const path = join(parentPath, name)
    const lines = readFileSync(path, 'utf8').split('\n')
    return lines.flatMap((line, i) => {
      const raises = RAISES.test(line) && !DEFINES.test(line) && !/^\s*(?:\*|\/\/)/.test(line)
      return raises ? [`${relative(src, path)}:${i + 1}`] : []
    })
  })
}
