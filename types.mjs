// One declaration file per entry in dist/types/, from what tsc wrote to build/types/: hovering shows names of the package, no
// path inside it. A name is declared by one entry, and the others import it from there, so that a class is one class.
import { readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rollup } from 'rollup'
import { dts } from 'rollup-plugin-dts'

const ENTRIES = ['index', 'rotations', 'storage', 'pool', 'eval', 'node']
/** Exports all of another entry, and nothing else. */
const WHOLE = { debug: 'index' }

const root = fileURLToPath(new URL('.', import.meta.url))
const from = join(root, 'build/types')
const to = join(root, 'dist/types')
/** `import` and `export ... from` with names, as tsc prints them: on one line each. */
const NAMED = /^(import|export) (type )?\{ ([^}]*) \} from '(\.[^']+)';$/gm

const bare = (item) => item.replace(/^type /, '').split(' as ')[0]
const keyOf = (file, specifier, name) => `${resolve(dirname(file), specifier.replace(/\.js$/, '.d.ts'))} ${name}`

/** What an entry exports: each name with the module that declares it, and whether as a type only. */
async function exportsOf(entry) {
  const file = join(from, `${entry}.d.ts`)
  const code = await readFile(file, 'utf8')
  const found = []
  const add = (specifier, name, isType) => found.push({ key: keyOf(file, specifier, name), name, isType })
  for (const [, name] of code.matchAll(/^export declare (?:function|class|const) (\w+)/gm))
    add(`./${entry}.js`, name, false)
  for (const [, name] of code.matchAll(/^export (?:interface|type) (\w+)/gm)) add(`./${entry}.js`, name, true)
  for (const [, keyword, type, list, specifier] of code.matchAll(NAMED)) {
    if (keyword !== 'export') continue
    for (const item of list.split(', ')) add(specifier, bare(item), type !== undefined || item.startsWith('type '))
  }
  return found
}

const exported = new Map()
for (const entry of ENTRIES) exported.set(entry, await exportsOf(entry))
/** The entry that declares a name: the first to export it as a value, or else as a type. */
const homes = new Map()
for (const isType of [false, true]) {
  for (const [entry, names] of exported) {
    for (const { key } of names.filter((name) => name.isType === isType)) if (!homes.has(key)) homes.set(key, entry)
  }
}

/** Lets names that another entry declares come from there. */
function elsewhere(entry) {
  return (code, file) =>
    code.replace(NAMED, (_, keyword, type = '', list, specifier) => {
      const groups = new Map()
      for (const item of list.split(', ')) {
        const home = homes.get(keyOf(file, specifier, bare(item))) ?? entry
        const source = home === entry ? specifier : `packvec:${home}`
        groups.set(source, [...(groups.get(source) ?? []), item])
      }
      const statements = Array.from(
        groups,
        ([source, items]) => `${keyword} ${type}{ ${items.join(', ')} } from '${source}';`,
      )
      return statements.join('\n')
    })
}

/** The bundler exports every class as a value; those that the entry exports as types stay types. */
function typesOnly(entry, code) {
  const types = new Set(exported.get(entry).flatMap(({ name, isType }) => (isType ? [name] : [])))
  return code.replace(/^export \{ ([^}]*) \}(.*);$/gm, (_, list, source) => {
    const names = list.split(', ').map((name) => (types.has(name) ? `type ${name}` : name))
    return `export { ${names.join(', ')} }${source};`
  })
}

/** Classes for `using` need the library that has it, wherever the user's own settings leave it out. */
function withLibrary(code) {
  return /\[Symbol\.(?:asyncD|d)ispose\]/.test(code)
    ? `/// <reference lib="esnext.disposable" preserve="true" />\n${code}`
    : code
}

await rm(to, { recursive: true, force: true })
for (const entry of ENTRIES) {
  const bundle = await rollup({
    input: join(from, `${entry}.d.ts`),
    external: /^packvec:/,
    plugins: [{ name: 'elsewhere', transform: { order: 'pre', handler: elsewhere(entry) } }, dts()],
  })
  const file = join(to, `${entry}.d.ts`)
  await bundle.write({ file, format: 'es', paths: (id) => id.replace(/^packvec:(.*)$/, './$1.js') })
  await bundle.close()
  await writeFile(file, withLibrary(typesOnly(entry, await readFile(file, 'utf8'))))
}
for (const [entry, all] of Object.entries(WHOLE)) {
  await writeFile(join(to, `${entry}.d.ts`), `export * from './${all}.js';\n`)
}
