import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cp, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import type { Manifest } from '../page/manifest.js'
import { bundlePage } from './bundle.js'
import { contentSecurityPolicy } from './policy.js'
import { readTextSet } from './text-set.js'

export interface DemoOptions {
  /** The folder to write, which is emptied first. */
  readonly out: string
  /** A folder that holds `all-MiniLM-L6-v2/`: copied, so that the page needs no other site. */
  readonly models?: string | undefined
  /** Where the index will lie, if not beside the page: its server must answer ranges and allow the page's origin. */
  readonly indexUrl?: string | undefined
}

const SOURCE = 'examples/browser'
const DATA = 'examples/data'
export const MODEL = 'all-MiniLM-L6-v2'
/** The same model on the hub, with the names of files that transformers.js asks for. */
const HUB_MODEL = 'Xenova/all-MiniLM-L6-v2'
/** What a model of this size takes when it is not here to be measured. */
const HUB_MODEL_BYTES = 23_400_000
/** Needed to start; the rest of the folder is kept when it is first used. */
const START_FILES = [
  'index.html',
  'style.css',
  'icon.svg',
  'main.js',
  'demo.json',
  'texts.json',
  'questions.json',
  'questions.f32',
]

/** Writes the whole static folder; run from the root of the repository, after `npm run build`. */
export async function buildDemo({ out, models, indexUrl }: DemoOptions): Promise<Manifest> {
  await rm(out, { recursive: true, force: true })
  await mkdir(out, { recursive: true })
  const at = (name: string) => join(out, name)
  const corpus = await readTextSet(join(DATA, 'banking77_train'))
  const test = await readTextSet(join(DATA, 'banking77_test'))
  buildIndexFile(join(DATA, 'banking77_train.npy'), at('corpus.safetensors'))
  await writeFile(at('corpus.f32'), corpus.embeddings)
  await writeFile(at('questions.f32'), test.embeddings)
  await writeFile(at('texts.json'), JSON.stringify(corpus.texts))
  await writeFile(at('questions.json'), JSON.stringify(test.texts))
  const runtime = await bundlePage(SOURCE, out)
  await cp(runtime, at('ort-wasm-simd-threaded.wasm'))
  if (models !== undefined) await cp(join(models, MODEL), at(`models/${MODEL}`), { recursive: true })
  for (const name of ['style.css', 'icon.svg']) await cp(join(SOURCE, name), at(name))
  const html = await readFile(join(SOURCE, 'index.html'), 'utf8')
  await writeFile(
    at('index.html'),
    html.replace('%CSP%', contentSecurityPolicy({ hosted: models !== undefined, indexUrl })),
  )
  const rows = corpus.texts.texts.length
  const manifest: Manifest = {
    version: await fingerprint(out),
    rows,
    dims: corpus.dims,
    questions: test.texts.texts.length,
    index: {
      url: indexUrl ?? 'corpus.safetensors',
      bytes: (await stat(at('corpus.safetensors'))).size,
      bitBytes: (rows * corpus.dims) / 8,
    },
    corpusBytes: corpus.embeddings.byteLength,
    model: {
      id: models === undefined ? HUB_MODEL : MODEL,
      hosted: models !== undefined,
      bytes: models === undefined ? HUB_MODEL_BYTES : await folderBytes(at('models')),
      runtimeBytes: (await stat(runtime)).size,
    },
  }
  await writeFile(at('demo.json'), JSON.stringify(manifest))
  const worker = await readFile(at('service-worker.js'), 'utf8')
  const constants = `const VERSION=${JSON.stringify(manifest.version)},START_FILES=${JSON.stringify(['./', ...START_FILES])};\n`
  await writeFile(at('service-worker.js'), constants + worker)
  return manifest
}

/** The command line that users have. */
function buildIndexFile(corpus: string, out: string): void {
  const args = ['dist/cli.js', 'index', 'build', corpus, '-o', out]
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`packvec index build ended with ${status}: ${stderr}`)
}

/** A word that changes whenever a file does. */
async function fingerprint(folder: string): Promise<string> {
  const hash = createHash('sha256')
  for (const path of await filesIn(folder)) hash.update(relative(folder, path)).update(await readFile(path))
  return hash.digest('hex').slice(0, 16)
}

async function folderBytes(folder: string): Promise<number> {
  const sizes = await Promise.all((await filesIn(folder)).map(async (path) => (await stat(path)).size))
  return sizes.reduce((sum, size) => sum + size, 0)
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
}
