// The empty project in which every cell works: the packed package is installed there, the scenario lies beside it.
import { cp, mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { transform } from 'esbuild'
import { dataModule } from './data.mjs'
import { run } from './run-command.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const here = fileURLToPath(new URL('.', import.meta.url))

/** Packs what is built and installs it; `folder` is the caller's to remove. */
export async function makeProject() {
  const folder = await mkdtemp(join(tmpdir(), 'packvec-matrix-'))
  await run('npm', ['pack', '--ignore-scripts', '--pack-destination', folder, '--loglevel=error'], { cwd: root })
  const tarball = join(
    folder,
    (await readdir(folder)).find((name) => name.endsWith('.tgz')),
  )
  const project = join(folder, 'project')
  await cp(join(here, 'project'), project, { recursive: true })
  await writeFile(join(project, 'package.json'), '{ "name": "matrix", "private": true, "type": "module" }\n')
  const { code } = await transform(await readFile(join(here, 'scenario.ts')), { loader: 'ts' })
  await writeFile(join(project, 'scenario.js'), code)
  await writeFile(join(project, 'data.js'), await dataModule())
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund', '--loglevel=error', tarball], { cwd: project })
  return { folder, project, tarball, installed: join(project, 'node_modules/packvec') }
}

/** A folder inside the project, so that its modules find the package, for what one cell makes. */
export async function cellFolder({ project }, name) {
  const folder = join(project, name)
  await mkdir(folder, { recursive: true })
  return folder
}
