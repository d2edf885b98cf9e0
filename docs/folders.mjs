// Which folder of src/ imports which: for the table of docs/architecture.md, its figure, and the test that holds both.
import { readdirSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'

/** Files at the top of src/ are doors: they export, and nothing inside imports them. */
export const DOORS = 'doors'

export function folderOf(file) {
  return file.includes('/') ? file.slice(0, file.indexOf('/')) : DOORS
}

/** Each source file with the files that it imports, relative to src/. */
export function importsOfFiles(src) {
  const names = readdirSync(src, { recursive: true, encoding: 'utf8' })
  const files = names.map((name) => name.replaceAll('\\', '/')).filter((name) => /(?<!\.d)\.ts$/.test(name))
  return new Map(
    files.sort().map((file) => {
      const text = readFileSync(`${src}/${file}`, 'utf8')
      const specifiers = [...text.matchAll(/(?:\bfrom |\bimport\(|^import )'(\.[^']+)'/gm)].map((match) => match[1])
      const inside = specifiers.map((specifier) => posix.join(posix.dirname(file), specifier).replace(/\.js$/, '.ts'))
      return [file, inside.filter((name) => !name.startsWith('..'))]
    }),
  )
}

/** Each folder with those it imports, both in order of name. */
export function importsOfFolders(src) {
  const folders = new Map()
  for (const [file, imported] of importsOfFiles(src)) {
    const folder = folderOf(file)
    const found = folders.get(folder) ?? new Set()
    for (const name of imported) if (folderOf(name) !== folder) found.add(folderOf(name))
    folders.set(folder, found)
  }
  return new Map([...folders].sort().map(([folder, found]) => [folder, [...found].sort()]))
}
