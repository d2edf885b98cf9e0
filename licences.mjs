import { readdir, readFile } from 'node:fs/promises'

/** The kernels hold parts of its standard library, which no bundler counts as an input. */
const COMPILED_IN = 'node_modules/assemblyscript/std/assembly/index.d.ts'

/** The licences and notices of the packages that bundled files and kernels belong to, as one text. */
export async function licencesOf(inputs) {
  const names = [...new Set([...inputs, COMPILED_IN].map(packageOf).filter((name) => name !== undefined))].sort()
  const texts = names.map(async (name) => {
    // The loader has no licence in its folder: it is that of assemblyscript.
    const folder = `node_modules/${name.startsWith('@assemblyscript/') ? 'assemblyscript' : name}`
    const entries = (await readdir(folder)).sort()
    const read = async (pattern) => {
      const files = entries.filter((entry) => pattern.test(entry))
      return (await Promise.all(files.map((file) => readFile(`${folder}/${file}`, 'utf8')))).join('\n')
    }
    // Apache 2.0, section 4(d): a NOTICE goes where the work goes.
    const notice = await read(/^notice/i)
    const licence = await read(/^(licen[cs]e|copying)/i)
    if (licence !== '') return `${name}\n\n${licence}${notice === '' ? '' : `\nNOTICE\n\n${notice}`}`
    const { license, author, homepage, repository } = JSON.parse(await readFile(`${folder}/package.json`, 'utf8'))
    if (license === undefined) throw new Error(`${name} is bundled but names no licence`)
    const holder = author?.name ?? author
    return `${name}\n\n${license} licence, ${[holder, homepage ?? repository?.url].filter(Boolean).join(', ')}\n`
  })
  return (await Promise.all(texts)).join(`\n${'-'.repeat(80)}\n\n`)
}

function packageOf(path) {
  return /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1]
}
