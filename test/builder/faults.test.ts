import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { PackvecError, QuantizedIndex } from '../../src/index.js'
import {
  appendToIndex,
  buildIndex,
  compactIndex,
  deleteFromIndex,
  IndexBuilder,
  saveIndex,
  verifyIndex,
  writeNpy,
} from '../../src/node.js'
import { FAULTS, type Fault, type FaultKind, type Operation, withFault } from './faulty-fs.js'
import { Folder, rowsOf, slice } from './files.js'

vi.mock('node:fs', async (load) => (await import('./faulty-fs.js')).faultyFs(await load()))
vi.mock('node:fs/promises', async (load) => (await import('./faulty-fs.js')).faultyPromises(await load()))

/** Of the faults, every so many-th is tried; all where time is no matter. */
const STRIDE = process.env['CI_FULL'] ? 1 : 3
const folder = new Folder()
afterAll(() => folder.remove())

const NAME = 'index.safetensors'
const target = folder.at(NAME)
const rows = rowsOf(60, 24, 1)
const texts = (first: number, end: number) => Array.from({ length: end - first }, (_, i) => `text ${first + i}`)
const patience = { lockTimeout: 300 }
const quiet = { onWarning() {}, ...patience }
const source = folder.npy('source.npy', slice(rows, 0, 40))
const memory = QuantizedIndex.build(rows, { onWarning() {} })

/** A file as it is before the work; the work; whether its output is an index. */
interface Work {
  readonly before: Uint8Array | undefined
  run(): Promise<void>
  readonly isIndex: boolean
}

await buildIndex(target, [slice(rows, 0, 40)], { ...quiet, ids: texts(0, 40) })
const built = folder.bytes(NAME)
await deleteFromIndex(target, ['text 3', 'text 17'])
const holed = folder.bytes(NAME)

const works: Record<string, Work> = {
  'buildIndex of a new file': { before: undefined, run: () => buildIndex(target, [source], quiet), isIndex: true },
  'buildIndex over an old file': {
    before: holed,
    run: () => buildIndex(target, [slice(rows, 0, 25), slice(rows, 25, 60)], { ...quiet, ids: texts(0, 60) }),
    isIndex: true,
  },
  appendToIndex: {
    before: holed,
    run: () => appendToIndex(target, [slice(rows, 40, 60)], { ...patience, ids: texts(40, 60) }),
    isIndex: true,
  },
  deleteFromIndex: { before: built, run: () => deleteFromIndex(target, ['text 5'], patience), isIndex: true },
  compactIndex: { before: holed, run: () => compactIndex(target, patience), isIndex: true },
  saveIndex: { before: holed, run: () => saveIndex(memory, target), isIndex: true },
  writeNpy: { before: holed, run: () => writeNpy(target, rows), isIndex: false },
}

/** Every way in which the calls that some work makes can fail, one at a time. */
function faultsOf(counts: Readonly<Record<string, number>>): Fault[] {
  const all: Fault[] = []
  for (const [operation, kinds] of Object.entries(FAULTS) as [Operation, readonly FaultKind[]][]) {
    for (const kind of kinds) {
      for (let at = 0; at < (counts[operation] ?? 0); at++) all.push({ operation, kind, at })
    }
  }
  return all
}

function restore(before: Uint8Array | undefined): void {
  for (const name of folder.list()) if (name !== 'source.npy') folder.delete(name)
  if (before !== undefined) folder.write(NAME, before)
}

const found = () => (existsSync(target) ? folder.bytes(NAME) : undefined)
const isSame = (one: Uint8Array | undefined, other: Uint8Array | undefined) =>
  one === undefined || other === undefined ? one === other : Buffer.compare(one, other) === 0

/** Files in the folder that this process has open, where the system tells. */
function openFiles(): string[] {
  const descriptors = '/proc/self/fd'
  if (!existsSync(descriptors)) return []
  return readdirSync(descriptors).flatMap((number) => {
    try {
      const path = readlinkSync(join(descriptors, number))
      return path.startsWith(folder.path) ? [path] : []
    } catch {
      return []
    }
  })
}

/** What is still there once something else has been written. */
async function tellLeftovers(tell: (what: string) => void): Promise<void> {
  await writeNpy(target, rows)
  const left = folder.list().filter((name) => name !== NAME && name !== 'source.npy')
  if (left.length > 0) tell(`left behind: ${left}`)
}

describe.each(Object.entries(works))('%s', (_, { before, run, isIndex }) => {
  it('keeps the old file or has the new one, whole, whatever call to the system fails', async () => {
    restore(before)
    const { error, counts } = await withFault(undefined, run)
    expect(error).toBe(undefined)
    const fresh = found()!
    const faults = faultsOf(counts).filter((_, i) => i % STRIDE === 0)
    expect(faults.length).toBeGreaterThan(10)
    const wrong: string[] = []
    for (const fault of faults) {
      const tell = (what: string) => wrong.push(`${fault.operation} ${fault.at} ${fault.kind}: ${what}`)
      restore(before)
      const outcome = await withFault(fault, run)
      const now = found()
      if (outcome.error === undefined && !isSame(now, fresh))
        tell('it said that it succeeded, but the file is not the new one')
      if (!isSame(now, before) && !isSame(now, fresh)) tell('the file is neither the old one nor the new one')
      // Once it is renamed the new file is there, whatever comes back.
      const renamed = isSame(now, fresh) && !isSame(fresh, before)
      if (outcome.error !== undefined && renamed && !isAfterRename(fault)) tell('it said that it failed, but did it')
      if (outcome.error !== undefined && !(outcome.error instanceof PackvecError)) tell(`threw ${outcome.error}`)
      // Nobody took the lock away: it could not be read.
      if (fault.operation === 'readFile' && (outcome.error as PackvecError | undefined)?.code === 'CHANGED')
        tell('CHANGED')
      if (isIndex && now !== undefined) await verifyIndex(target).catch((cause) => tell(`verify: ${cause.message}`))
      if (openFiles().length > 0) tell(`open files: ${openFiles()}`)
      const again = await withFault(undefined, run)
      // What was deleted cannot be deleted again.
      if (again.error !== undefined && !renamed) tell(`the next call: ${again.error}`)
      await tellLeftovers(tell)
    }
    expect(wrong).toEqual([])
  }, 600_000)
})

function isAfterRename({ operation, kind }: Fault): boolean {
  return operation === 'rename' && kind === 'after'
}

describe('IndexBuilder', () => {
  const batches = [slice(rows, 0, 10), slice(rows, 10, 35), slice(rows, 35, 60)]
  const fill = async (retry: (work: () => Promise<void>) => Promise<void>) => {
    let builder: IndexBuilder | undefined
    await retry(async () => {
      builder = await IndexBuilder.open(target, quiet)
    })
    let first = 0
    for (const batch of batches) {
      const ids = texts(first, first + batch.dims[0])
      await retry(() => builder!.add(batch, { ids }))
      first += batch.dims[0]
    }
    await retry(() => builder!.finish())
  }

  it('has every batch once, where what failed is called again', async () => {
    restore(holed)
    const { counts } = await withFault(undefined, () => fill((work) => work()))
    const fresh = found()!
    const wrong: string[] = []
    for (const fault of faultsOf(counts).filter((_, i) => i % STRIDE === 0)) {
      const tell = (what: string) => wrong.push(`${fault.operation} ${fault.at} ${fault.kind}: ${what}`)
      restore(holed)
      const twice = async (work: () => Promise<void>) => {
        try {
          await work()
        } catch (error) {
          if (!(error instanceof PackvecError)) tell(`threw ${error}`)
          await work()
        }
      }
      const { error } = await withFault(fault, () => fill(twice))
      if (error !== undefined) tell(`the second time: ${error}`)
      if (!isSame(found(), fresh)) tell('the file is not the new one')
      if (openFiles().length > 0) tell(`open files: ${openFiles()}`)
      await tellLeftovers(tell)
    }
    expect(wrong).toEqual([])
  }, 600_000)
})

describe('the faults', () => {
  it('reach every call of the file system that the writers make', () => {
    const src = join(import.meta.dirname, '..', '..', 'src')
    // They look, or clean up for a process that ends.
    const harmless = [
      ...['readFileSync', 'readlinkSync', 'readdirSync', 'statSync', 'fstatSync', 'rmSync', 'statfs', 'constants'],
      ...['createReadStream', 'readlink'],
    ]
    for (const part of ['files', 'sources', 'builder', 'index-file']) {
      for (const file of readdirSync(join(src, part)).filter((name) => name.endsWith('.ts'))) {
        const text = readFileSync(join(src, part, file), 'utf8')
        for (const [, names] of text.matchAll(/^import \{([^}]*)\} from 'node:fs(?:\/promises)?'/gm)) {
          for (const name of names!.split(',').map((one) => one.trim().split(' ')[0]!)) {
            expect([...Object.keys(FAULTS), 'readSync', ...harmless], `${name} in ${file}`).toContain(name)
          }
        }
        for (const [, name] of text.matchAll(/\bfs\.([a-z]\w*)\(/g)) expect(Object.keys(FAULTS), file).toContain(name)
      }
    }
  })
})
