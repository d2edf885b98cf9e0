import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { QuantizedIndex } from '../../src/index.js'
import { saveIndex } from '../../src/node.js'
import { Folder, rowsOf } from './files.js'

const NODE_ENTRY = pathToFileURL(join(import.meta.dirname, '..', '..', 'dist', 'node.js')).href
const folder = new Folder()
afterAll(() => folder.remove())

const DIMS = 48
const target = folder.at('index.safetensors')
const even = QuantizedIndex.build(rowsOf(3000, DIMS, 1))
const odd = QuantizedIndex.build(rowsOf(5000, DIMS, 2))
const query = Array.from({ length: DIMS }, (_, i) => Math.sin(i))
const answers = [even, odd].map((index) => `${index.size}:${index.search(query).ids}`)

/** Opens the index again and again, and says each answer it had. */
const READER = `
import { loadIndex } from '${NODE_ENTRY}'
const answers = new Map()
process.on('message', () => process.send([...answers], () => process.exit()))
process.send('ready')
for (;;) {
  const index = await loadIndex(process.argv[1])
  const answer = index.size + ':' + index.search(${JSON.stringify(query)}).ids
  answers.set(answer, (answers.get(answer) ?? 0) + 1)
  await new Promise((resolve) => setImmediate(resolve))
}`

describe('two processes that read an index while a third one replaces it', () => {
  it('find the old index or the new one, each time whole', async () => {
    await saveIndex(even, target)
    const readers = await Promise.all(
      [0, 1].map(async () => {
        const child = spawn(process.execPath, ['--input-type=module', '-e', READER, target], {
          stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
        })
        let errors = ''
        child.stderr!.on('data', (text) => {
          errors += text
        })
        await once(child, 'message')
        return { child, errors: () => errors }
      }),
    )
    for (let i = 0; i < 40; i++) await saveIndex(i % 2 === 0 ? odd : even, target)
    for (const { child, errors } of readers) {
      const answer = once(child, 'message')
      child.send('stop')
      const [seen] = (await Promise.race([answer, once(child, 'exit').then(() => [errors()])])) as [[string, number][]]
      expect(seen.length).toBeGreaterThan(0)
      for (const [found] of seen) expect(answers).toContain(found)
    }
  })
})
