import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { licencesOf } from '../licences.mjs'

const packages = readFileSync('dist/THIRD-PARTY-LICENSES.txt', 'utf8')
  .split(`\n${'-'.repeat(80)}\n\n`)
  .map((text) => text.slice(0, text.indexOf('\n')))

describe('the licences of the package', () => {
  it('has every licence and every notice of what is bundled, word for word', () => {
    const text = readFileSync('dist/THIRD-PARTY-LICENSES.txt', 'utf8')
    const found = packages.flatMap((name) => {
      const folder = `node_modules/${name.startsWith('@assemblyscript/') ? 'assemblyscript' : name}`
      return readdirSync(folder)
        .filter((file) => /^(licen[cs]e|copying|notice)/i.test(file))
        .map((file) => `${folder}/${file}`)
    })
    for (const file of found) expect(text.includes(readFileSync(file, 'utf8')), file).toBe(true)
    expect(found).toContain('node_modules/assemblyscript/NOTICE')
    expect(packages).toContain('assemblyscript')
  })

  it('has the notice of AssemblyScript whatever is bundled: its library is part of the kernels', async () => {
    expect(await licencesOf([])).toContain(readFileSync('node_modules/assemblyscript/NOTICE', 'utf8'))
  })
})
