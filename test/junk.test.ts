import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import * as evaluation from '../src/eval.js'
import * as core from '../src/index.js'
import * as node from '../src/node.js'
import * as pool from '../src/pool.js'
import * as rotations from '../src/rotations.js'
import * as storage from '../src/storage-node.js'
import { type Call, NOT_CALLED } from './junk/calls.js'
import { coreCalls } from './junk/core-calls.js'
import { debug } from './junk/debug.js'
import { evalCalls } from './junk/eval-calls.js'
import { fileCalls } from './junk/file-calls.js'
import { play, spoil } from './junk/play.js'
import { poolCalls } from './junk/pool-calls.js'
import { rotationCalls } from './junk/rotation-calls.js'
import { randomSource } from './random.js'

/** Calls in all; those of heavier functions are fewer. */
const TIMES = process.env['CI_FULL'] ? 200_000 : 20_000
const FULL_MS = 3_600_000
const SEED = 20

const folder = mkdtempSync(join(tmpdir(), 'packvec-junk-'))
const home = process.cwd()
let calls: Call[] = []
let closePool = async () => {}

beforeAll(async () => {
  vi.spyOn(console, 'warn').mockReturnValue()
  const { calls: ofPool, close } = await poolCalls()
  closePool = close
  calls = [
    ...coreCalls('packvec', core),
    ...coreCalls('debug', debug),
    ...rotationCalls(),
    ...(await fileCalls(folder)),
    ...(await evalCalls(folder)),
    ...ofPool,
  ]
  // Junk that is a path is a path of this folder.
  process.chdir(folder)
})

afterAll(async () => {
  process.chdir(home)
  await closePool()
  rmSync(folder, { recursive: true, force: true })
  vi.restoreAllMocks()
})

/** The functions of an entry, and the methods of its classes: `Levels.from`. */
function doorsOf(entry: object): string[] {
  return Object.entries(entry).flatMap(([name, value]) => {
    if (typeof value !== 'function') return []
    if (!/^class\b/.test(Function.prototype.toString.call(value))) return [name]
    const own = (owner: object) => Object.entries(Object.getOwnPropertyDescriptors(owner))
    return [...own(value), ...own(value.prototype)]
      .filter(([member, { value: method }]) => typeof method === 'function' && !NOT_CALLED.includes(member))
      .map(([member]) => `${name}.${member}`)
  })
}

describe('junk in the place of arguments', () => {
  it.each(Object.entries({ packvec: core, debug, rotations, storage, node, eval: evaluation, pool }))(
    'is given to every function of %s',
    (_, entry) => {
      const named = calls.map(({ name }) => name.split(' ').at(-1)!)
      // IndexBuilder is called as a whole.
      const missing = doorsOf(entry).filter(
        (door) => !named.some((name) => door === name || door.startsWith(`${name}.`)),
      )
      expect(missing).toEqual([])
    },
  )

  it('every call works with the arguments that it takes', async () => {
    for (const call of calls) {
      const fault = await play(call, { args: call.args(), done: ['nothing'] })
      expect(fault).toBeUndefined()
      await expect((async () => call.close?.(await call.run(...call.args())))(), call.name).resolves.not.toThrow()
    }
  })

  it(
    `${TIMES} calls return or fail with a PackvecError, and change nothing where they fail`,
    async () => {
      const random = randomSource(SEED)
      const weight = calls.reduce((sum, call) => sum + (call.weight ?? 1), 0)
      const faults = new Map<string, string>()
      for (const call of calls) {
        const times = Math.ceil((TIMES * (call.weight ?? 1)) / weight)
        for (let i = 0; i < times; i++) {
          const fault = await play(call, spoil(call, random))
          if (fault !== undefined) faults.set(fault.replace(/ <.*/s, ''), fault)
        }
      }
      expect([...faults.values()]).toEqual([])
    },
    FULL_MS,
  )
})
