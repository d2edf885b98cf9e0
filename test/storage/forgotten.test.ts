import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
// @ts-expect-error plain JavaScript
import { Skip, toolBin } from '../matrix/tools.mjs'

const [script, dist] = ['./forgetful.mjs', '../../dist'].map((path) => fileURLToPath(new URL(path, import.meta.url)))
let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'packvec-forgotten-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

/** Node 26 ends a process that forgets a FileHandle, earlier versions print a warning. Where npm has no network, these. */
const runtimes = new Map<string, string>([[`Node ${process.versions.node}`, process.execPath]])
try {
  runtimes.set('Node 26', await toolBin('node-26', 'node'))
} catch (error) {
  if (!(error instanceof Skip)) throw error
}

describe('the sources', () => {
  it('open no file as a FileHandle, which must not be forgotten', () => {
    const root = fileURLToPath(new URL('../../src', import.meta.url))
    const opening = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) => {
      if (!file.endsWith('.ts')) return false
      const imported = /import (.*) from 'node:fs\/promises'/.exec(readFileSync(join(root, file), 'utf8'))?.[1] ?? ''
      return /\b(open|FileHandle)\b|^\*/.test(imported)
    })
    expect(opening).toEqual([])
  })
})

describe('whatever holds an open file', () => {
  it.each([...runtimes])('may be forgotten in %s: it is closed without a word', async (_name, node) => {
    const { stdout, stderr } = await promisify(execFile)(node, ['--expose-gc', script!, dist!, folder])
    expect(stderr).toBe('')
    const lines = stdout.trim().split('\n')
    expect(lines.pop()).toBe('still there')
    expect(lines.length).toBe(7)
    for (const line of lines) expect(line).toMatch(/: 0 left open$/)
  })
})
