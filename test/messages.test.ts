import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { builderCalls } from './messages/builder.js'
import { typed, typos } from './messages/cli.js'
import { codeCalls } from './messages/codes.js'
import { evaluationCalls } from './messages/evaluation.js'
import { formatCalls } from './messages/formats.js'
import { httpCalls } from './messages/http.js'
import { indexFileCalls } from './messages/index-files.js'
import { NOT_REACHED } from './messages/not-reached.js'
import { poolCalls } from './messages/pool.js'
import { type Provocation, provoke, raisingPlaces } from './messages/recorder.js'
import { rotationCalls } from './messages/rotations.js'
import { rowCalls } from './messages/rows.js'
import { searchCalls } from './messages/search.js'

const folder = mkdtempSync(join(tmpdir(), 'packvec-messages-'))
/** The lines of `src/` that some call passed when it failed. */
const reached = new Set<string>()
/** What the list shows of each group of calls. */
const lists: string[] = []
/** Calls that raised nothing. */
const silent: string[] = []

/** The messages of calls, each once, in their order. */
async function messagesOf(title: string, calls: readonly Provocation[]): Promise<string> {
  const entries = new Set<string>()
  for (const call of calls) {
    const { messages, places } = await provoke(call)
    if (messages.length === 0) silent.push(`${title}: ${call}`)
    for (const { code, argument, text } of messages) entries.add(`${`${code} ${argument}`.trim()}\n    ${text}\n`)
    for (const place of places) reached.add(place)
  }
  return `# ${title}\n\n${[...entries].join('')}`
}

async function commandLine(): Promise<string> {
  let list = '# command line\n\n'
  for (const args of typos(folder)) {
    const { exit, lines } = await typed(args)
    // The help is no message.
    list += `packvec ${args.join(' ')} -> ${exit}\n${lines.map((line) => `    ${line.split('\n')[0]}\n`).join('')}`
  }
  return list
}

beforeAll(async () => {
  const groups: [title: string, calls: readonly Provocation[]][] = [
    ['rows', rowCalls],
    ['codes', codeCalls],
    ['search', searchCalls],
    ['rotations', rotationCalls],
    ['file formats', formatCalls(folder)],
    ['index files', indexFileCalls(folder)],
    ['building and editing', builderCalls(folder)],
    ['http', httpCalls],
    ['pool', await poolCalls(folder)],
    ['evaluation', evaluationCalls(folder)],
  ]
  for (const [title, calls] of groups) lists.push(await messagesOf(title, calls))
  lists.push(await commandLine())
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('messages', () => {
  it('read as the reviewed list does', async () => {
    const text = lists
      .join('\n')
      .replaceAll(folder, '<folder>')
      .replaceAll(/[0-9a-f]{64}/g, '<64 hex digits>')
      .replaceAll(/[0-9a-f]{8}\.\.\./g, '<8 hex digits>...')
    await expect(text).toMatchFileSnapshot('messages/messages.txt')
  })

  it('come from every call of the list', () => {
    expect(silent).toEqual([])
  })

  it('hold no secret that a call was given', () => {
    expect(lists.join('\n')).not.toMatch(/secret/i)
  })

  it('come from every place that raises, but those that are named with a reason', () => {
    const missed = raisingPlaces().filter((place) => !reached.has(place))
    const unnamed = missed.filter((place) => !Object.keys(NOT_REACHED).some((file) => place.startsWith(file)))
    expect(unnamed).toEqual([])
    expect(missed.length).toBeLessThan(0.2 * raisingPlaces().length)
  })

  it.each(Object.keys(NOT_REACHED))('%s has places that are not reached', (file) => {
    expect(raisingPlaces().some((place) => place.startsWith(file) && !reached.has(place))).toBe(true)
  })
})
