import type { Call } from './calls.js'
import { JUNK, OWN_ERROR } from './catalogue.js'

/** Milliseconds after which a call counts as hanging: many times what the slowest takes. */
const PATIENCE_MS = 20_000
const junk = Object.entries(JUNK)

/** One call, some of its arguments replaced. */
export interface Move {
  readonly args: unknown[]
  /** For messages: what was done to the valid arguments. */
  readonly done: string[]
}

/** Arguments of a call with one or two of them, or parts of them, replaced. */
export function spoil(call: Call, random: () => number): Move {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!
  const args = call.args()
  const done: string[] = []
  /** Junk is not looked into: it may throw. */
  const spoilt = new Set<number>()
  const value = (what: string) => {
    const [name, make] = pick(junk)
    done.push(`${what}: ${name}`)
    return make()
  }
  for (let times = random() < 0.7 ? 1 : 2; times > 0; times--) {
    const at = Math.floor(random() * args.length)
    const own = spoilt.has(at) ? undefined : args[at]
    spoilt.add(at)
    const kind = random()
    if (kind < 0.1 && args.length > 1) {
      const other = (at + 1) % args.length
      spoilt.add(other)
      ;[args[at], args[other]] = [args[other], args[at]]
      done.push(`arguments ${at} and ${other} swapped`)
    } else if (kind < 0.15) {
      args.length = at
      done.push(`no arguments from ${at} on`)
      break
    } else if (kind < 0.6 && isPlain(own)) {
      const names = Object.keys(own)
      const name = random() < 0.1 || names.length === 0 ? 'junk' : pick(names)
      args[at] = { ...own, [name]: value(`argument ${at}, ${name}`) }
    } else if (kind < 0.6 && Array.isArray(own) && own.length > 0) {
      const copy = [...own]
      const place = Math.floor(random() * copy.length)
      copy[place] = value(`argument ${at}, element ${place}`)
      args[at] = copy
    } else args[at] = value(`argument ${at}`)
  }
  return { args, done }
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}

/** What a call did that it must not; undefined where it returned, or failed with an error of ours. */
export async function play(call: Call, { args, done }: Move): Promise<string | undefined> {
  const before = await call.state?.()
  const fault = await outcome(call, args)
  const what = `${call.name} (${done.join('; ')})`
  if (fault === 'returned') return undefined
  if (fault !== 'refused') return `${what}: ${fault}`
  return (await call.state?.()) === before ? undefined : `${what}: refused, and its state changed`
}

async function outcome(call: Call, args: unknown[]): Promise<string> {
  const begun = performance.now()
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(resolve, PATIENCE_MS, 'hangs')
  })
  try {
    const running = (async () => {
      const result = await call.run(...args)
      await call.close?.(result)
    })()
    const ended = await Promise.race([running.then(() => 'returned'), late])
    return performance.now() - begun > PATIENCE_MS ? 'hangs' : ended
  } catch (error) {
    // By its name and code: packvec/debug has a class of its own.
    const { name, code, message, stack } = error as { name?: string; code?: unknown; message?: string; stack?: string }
    const isOwn =
      message === OWN_ERROR || name === 'AbortError' || /on a proxy that has been revoked/.test(message ?? '')
    if (call.throwsOwn && isOwn) return 'refused'
    if (name === 'PackvecError' && typeof code === 'string' && message !== '') return 'refused'
    return `${String(name)}: ${message} ${stack?.split('\n').slice(1, 4).join(' <')}`
  } finally {
    clearTimeout(timer)
  }
}
