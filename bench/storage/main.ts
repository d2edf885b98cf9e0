import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { loadEmbedded } from '../node-data.js'
import { machine } from '../report.js'
import { markdownTable } from '../results.js'
import { type Corpus, tiledCorpus } from '../search/corpus.js'
import { type BuildFigures, measureBuild, writeCorpus } from './build.js'
import { measureSearch, type SearchFigures } from './search.js'

const USAGE = `npm run bench:storage -- [--rows N] [--batches] [--folder FOLDER] [--keep]
  --rows      rows of 384 dims, 593891 by default
  --batches   from a generator of batches rather than from a .npy file
  --folder    where corpus and index go, build/bench-storage by default: 1.8 KB a row (3.6 KB with --batches)
  --keep      leaves both there`

const DIMS = 384
/** Questions that the searches take in turns. */
const QUERIES = 256

/** A build and searches, each in a process of its own, so that its memory is its own; the corpus is made before, as a file, or within. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rows: { type: 'string', default: '593891' },
      batches: { type: 'boolean', default: false },
      folder: { type: 'string', default: fileURLToPath(new URL('bench-storage', import.meta.url)) },
      keep: { type: 'boolean', default: false },
      child: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return console.log(USAGE)
  const { folder, batches } = values
  const rows = Number(values.rows)
  const [npy, index] = [join(folder, `corpus-${rows}.npy`), join(folder, `index-${rows}.safetensors`)]
  const asked = join(folder, 'queries.f32')
  if (values.child === 'search') {
    // Only these: what making a corpus leaves behind would be counted as free memory.
    const { buffer } = new Uint8Array(readFileSync(asked))
    return void process.stdout.write(JSON.stringify(await measureSearch(index, new Float32Array(buffer), DIMS)))
  }
  if (values.child === 'build') {
    const figures = await measureBuild(batches ? corpusOf(rows) : npy, rows, DIMS, index)
    return void process.stdout.write(JSON.stringify(figures))
  }
  mkdirSync(folder, { recursive: true })
  console.log(`${Object.values(machine()).join(', ')}; ${rows} x ${DIMS}, seeded`)
  try {
    if (!batches && !existsSync(npy)) await writeCorpus(npy, corpusOf(rows))
    console.log(markdownTable(['build', ''], describe(inChild('build') as BuildFigures)))
    writeFileSync(asked, tiledCorpus(loadEmbedded(), 1, DIMS, QUERIES).queries)
    console.log(markdownTable(['open and search the file', ''], describeSearch(inChild('search') as SearchFigures)))
  } finally {
    if (!values.keep) for (const path of [npy, index, asked]) rmSync(path, { force: true })
  }
}

/** Runs a part of the bench in a process of its own. */
function inChild(part: string): unknown {
  const args = [fileURLToPath(import.meta.url), ...process.argv.slice(2), '--child', part]
  const { status, stdout } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  if (status !== 0) throw new Error(`bench: ${part} failed`)
  return JSON.parse(stdout)
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

function describeSearch({ openMs, firstMs, openBytes, searchedBytes, memory, file, http }: SearchFigures): string[][] {
  const ms = (value: number) => `${value.toFixed(2)} ms`
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`
  return [
    ['open', ms(openMs)],
    ['first search', ms(firstMs)],
    ['growth of memory, open and first search', megabytes(openBytes)],
    ['growth of memory, 200 searches later', megabytes(searchedBytes)],
    ['search, all in memory (min / median)', `${ms(memory.min)} / ${ms(memory.median)}`],
    ['search, int8 in the file (min / median)', `${ms(file.min)} / ${ms(file.median)}`],
    [
      'file / memory (min / median)',
      `${(file.min / memory.min).toFixed(2)} / ${(file.median / memory.median).toFixed(2)}`,
    ],
    ['open over HTTP', `${http.openRequests} requests, ${megabytes(http.openBytes)}`],
    [
      'search over HTTP (top 10 of 40)',
      `${ms(http.searchMs)}, ${http.searchRequests.toFixed(1)} requests, ${megabytes(http.searchBytes)}`,
    ],
  ]
}

await main()
