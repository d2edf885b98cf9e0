import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { missingPython } from './format/python.js'
import { type Block, blocksOf, pages } from './snippets/blocks.js'
import { NOT_RUN, namedLines, toRun } from './snippets/not-run.js'
import { type Outcome, Stage } from './snippets/stage.js'

const MODULES = ['ts', 'js']
/** Blocks that show what the block before them prints. */
const OUTPUTS = ['text', 'json']

describe('the list of what is not run', () => {
  it.each(NOT_RUN)('names what $page has: $line', ({ page, line }) => {
    expect(blocksOf(page).flatMap(namedLines)).toContain(line)
  })
})

const run = pages().filter((page) => blocksOf(page).some((block) => toRun(block) !== ''))

describe.each(run)('the snippets of %s', (page) => {
  const blocks = blocksOf(page)
  const modules = blocks.filter(({ language }) => MODULES.includes(language))
  const printed = new Map<Block, string>()
  let stage: Stage
  let types: Map<Block, string[]>

  beforeAll(async () => {
    stage = await new Stage(page).open()
    types = stage.prepare(modules)
  })
  afterAll(() => stage?.close())

  function succeeds(block: Block, { status, stdout, stderr }: Outcome): void {
    printed.set(block, stdout)
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  }

  for (const [i, block] of blocks.entries()) {
    const { language, title } = block
    const isModule = MODULES.includes(language)
    // Also of what cannot run here.
    if (isModule) it(`${title}: has the types that it needs`, () => expect(types.get(block)).toEqual([]))
    const code = toRun(block)
    if (code === '') continue
    if (isModule) {
      it(`${title}: runs`, async () => succeeds(block, await stage.runModule(block)))
    } else if (language === 'sh') {
      it(`${title}: calls packvec alone, or not-run.ts says why not`, () => {
        expect(code.split('\n').filter((line) => !/^(packvec |#|\s|$)/.test(line))).toEqual([])
      })
      it(`${title}: runs`, async () => succeeds(block, await stage.runShell(code)))
    } else if (language === 'python') {
      const missing = missingPython(...Array.from(code.matchAll(/^(?:import|from) (\w+)/gm), (match) => match[1]!))
      const note = missing ? ` (skipped: ${missing})` : ''
      it.skipIf(missing)(`${title}: runs${note}`, async () => succeeds(block, await stage.runPython(code)))
    } else if (OUTPUTS.includes(language)) {
      it(`${title}: is what the block before it prints`, () => expect(printed.get(blocks[i - 1]!)).toBe(code))
    } else {
      it(`${title}: is run, or not-run.ts says why not`, () => expect.fail(`nothing runs ${language}`))
    }
  }
})
