import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..', '..')

/** A fenced block of a page. */
export interface Block {
  /** Path of the page in the repository. */
  readonly page: string
  /** Line of the page that the code begins on, from 1. */
  readonly line: number
  readonly language: string
  readonly code: string
  /** The block and the heading that it stands under, for the title of a test. */
  readonly title: string
}

/** The pages that a newcomer reads. */
export function pages(): string[] {
  const docs = readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md'))
  return ['README.md', 'CONTRIBUTING.md', ...docs.map((name) => `docs/${name}`)]
}

/** Every fenced block of a page, in order. @throws Error where a fence is not closed, or has no language */
export function blocksOf(page: string): Block[] {
  const blocks: Block[] = []
  let heading = page
  let open: { readonly line: number; readonly language: string; readonly code: string[] } | undefined
  for (const [i, text] of readFileSync(join(ROOT, page), 'utf8').split('\n').entries()) {
    const fence = /^\s*```(.*)$/.exec(text)?.[1]?.trim()
    if (fence === undefined) {
      if (open !== undefined) open.code.push(text)
      else heading = /^#+ (.*)$/.exec(text)?.[1] ?? heading
    } else if (open === undefined) {
      if (fence === '') throw new Error(`${page}:${i + 1}: a block without a language`)
      open = { line: i + 2, language: fence, code: [] }
    } else {
      const { line, language, code } = open
      blocks.push({
        page,
        line,
        language,
        code: `${code.join('\n')}\n`,
        title: `line ${line}, ${language}: ${heading}`,
      })
      open = undefined
    }
  }
  if (open !== undefined) throw new Error(`${page}:${open.line}: a block that is not closed`)
  return blocks
}
