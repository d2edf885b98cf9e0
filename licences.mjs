import { readdir, readFile } from 'node:fs/promises'

/** The licences of the packages that bundled files belong to, as one text. */
export async function licencesOf(inputs) {
  const names = [...new Set(inputs.map(packageOf).filter((name) => name !== undefined))].sort()
  const texts = names.map(async (name) => {
    // The loader has no licence in its folder: it is assemblyscript's.
    const folder = `node_modules/${name.startsWith('@assemblyscript/') ? 'assemblyscript' : name}`
    const file = (await readdir(folder)).find((entry) => /^licen[cs]e/i.test(entry))
    if (file !== undefined) return `${name}\n\n${await readFile(`${folder}/${file}`, 'utf8')}`
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
