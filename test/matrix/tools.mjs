// Runtimes and bundlers from the npm registry, each in a folder of its own that later runs find again.
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run } from './run-command.mjs'

/** A cell cannot run here, and why: it is counted as skipped. */
export class Skip extends Error {}

const cache = fileURLToPath(new URL('../../.cache/packvec-matrix', import.meta.url))
const versions = JSON.parse(await readFile(new URL('tools.json', import.meta.url), 'utf8'))
const installs = new Map()

/** The folder in which the packages of a tool are installed. @throws Skip where npm cannot install them */
export function tool(name) {
  if (!installs.has(name)) installs.set(name, install(versions[name]))
  return installs.get(name)
}

export async function toolBin(name, bin) {
  return join(await tool(name), 'node_modules/.bin', bin)
}

/** Where `import` would find a file of a tool, as from its own folder. */
export async function toolFile(name, specifier) {
  return createRequire(join(await tool(name), 'package.json')).resolve(specifier)
}

async function install(packages) {
  const names = Object.entries(packages).map(([name, version]) => `${name}@${version}`)
  const folder = join(cache, names[0].replace('/', '-'))
  if (existsSync(folder)) return folder
  const started = `${folder}.${process.pid}`
  await mkdir(started, { recursive: true })
  await writeFile(join(started, 'package.json'), '{ "private": true }\n')
  try {
    await run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', ...names], { cwd: started })
  } catch (error) {
    await rm(started, { recursive: true, force: true })
    throw new Skip(`npm cannot install ${names.join(' ')} here: ${error.message.split('\n')[0]}`)
  }
  // Whole or not at all: an interrupted installation is never found.
  await rename(started, folder)
  return folder
}
