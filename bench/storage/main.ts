import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { loadEmbedded } from '../node-data.js'
import { machine } from '../report.js'
import { markdownTable } from '../results.js'
import { type Corpus, tiledCorpus } from '../search/corpus.js'
import { type BuildFigures, measureBuild, writeCorpus } from './build.js'

const USAGE = `npm run bench:storage -- [--rows N] [--batches] [--folder FOLDER] [--keep]
  --rows      rows of 384 dims, 593891 by default
  --batches   from a generator of batches rather than from a .npy file
  --folder    where corpus and index go, build/bench-storage by default: 1.8 KB a row (3.6 KB with --batches)
  --keep      leaves both there`

const DIMS = 384

/** A build in a process of its own, so that its memory is its own; the corpus is made before, as a file, or within. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rows: { type: 'string', default: '593891' },
      batches: { type: 'boolean', default: false },
      folder: { type: 'string', default: fileURLToPath(new URL('bench-storage', import.meta.url)) },
      keep: { type: 'boolean', default: false },
      child: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return console.log(USAGE)
  const { folder, batches } = values
  const rows = Number(values.rows)
  const [npy, index] = [join(folder, `corpus-${rows}.npy`), join(folder, `index-${rows}.safetensors`)]
  if (values.child) {
    const figures = await measureBuild(batches ? corpusOf(rows) : npy, rows, DIMS, index)
    return void process.stdout.write(JSON.stringify(figures))
  }
  mkdirSync(folder, { recursive: true })
  console.log(`${Object.values(machine()).join(', ')}; ${rows} x ${DIMS}, seeded`)
  try {
    if (!batches && !existsSync(npy)) await writeCorpus(npy, corpusOf(rows))
    const { status, stdout } = spawnSync(
      process.execPath,
      [fileURLToPath(import.meta.url), ...process.argv.slice(2), '--child'],
      {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    if (status !== 0) throw new Error('bench: the build failed')
    console.log(markdownTable(['build', ''], describe(JSON.parse(stdout) as BuildFigures)))
  } finally {
    if (!values.keep) for (const path of [npy, index]) rmSync(path, { force: true })
  }
}

function corpusOf(rows: number): Corpus {
  return tiledCorpus(loadEmbedded(), rows, DIMS, 1)
}

function describe(figures: BuildFigures): string[][] {
  const { seconds, inputBytes, memoryBytes, fileBytes, codeBytes, speeds, verifySeconds } = figures
  const perSecond = (bytes: number) => `${Math.round(bytes / 1e6)} MB/s`
  return [
    ['time', `${seconds.toFixed(2)} s`],
    ['input', `${perSecond(inputBytes / seconds)} of float32`],
    ...Object.entries(speeds).map(([phase, speed]) => [`input, ${phase}`, perSecond(speed)]),
    ['growth of memory', `${(memoryBytes / 2 ** 20).toFixed(1)} MiB`],
    ['file', `${fileBytes} bytes, ${(fileBytes / codeBytes).toFixed(4)} of its codes`],
    ['verify', `${verifySeconds.toFixed(2)} s, ${perSecond(fileBytes / verifySeconds)}`],
  ]
}

await main()
