// Which files a user of the package can reach.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Paths, relative to the package's folder, that its package.json names, with all that these import. */
export async function reachableFiles(folder) {
  const { exports, bin } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
  const named = Object.values(exports).flatMap((entry) => (typeof entry === 'string' ? [entry] : Object.values(entry)))
  const reached = new Set()
  const visit = async (file) => {
    if (reached.has(file)) return
    reached.add(file)
    if (!/\.[jt]s$/.test(file)) return
    const text = await readFile(join(folder, file), 'utf8')
    for (const [, specifier] of text.matchAll(/(?:\bfrom |\bimport\(|^import )["'](\.{1,2}\/[^"'?]+)/gm)) {
      const found = join(file, '..', specifier)
      await visit(file.endsWith('.d.ts') ? found.replace(/\.js$/, '.d.ts') : found)
    }
  }
  for (const path of [...named, ...Object.values(bin)]) await visit(join(path))
  return reached
}
