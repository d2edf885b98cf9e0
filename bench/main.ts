import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { chart } from './chart.js'
import { FIGURE_HEAD, figureRows } from './figures.js'
import { numpySection } from './kernels/numpy.js'
import { loadEmbedded } from './node-data.js'
import { type BenchOptions, parseOptions, USAGE } from './options.js'
import { machine, makeReport, type Report } from './report.js'
import { markdownTable, type Section, sectionTable } from './results.js'
import { runCore } from './run.js'
import { npmPeers } from './search/npm-peers.js'
import type { Peer } from './search/peer.js'
import { PythonProcess } from './search/python.js'
import { PythonPeer } from './search/python-peer.js'
import { smallPeerSection } from './search/small-peers.js'
import { UsearchPeer } from './search/usearch.js'
import { SIZES } from './sizes.js'
import { startSection } from './start.js'
import { workerSection } from './workers.js'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** The whole bench in this process; `print` gets each table as it is ready. */
export async function bench(options: BenchOptions, print: (text: string) => void): Promise<Report> {
  const startedAt = performance.now()
  const sizes = SIZES[options.size]
  const { sections } = options
  print(`${Object.values(machine()).join(', ')}; sizes: ${sizes.name}; one thread; milliseconds`)
  const npm = await npmPeers()
  const absent: Record<string, string> = { ...npm.absent }
  const python = options.python === undefined ? undefined : await PythonProcess.open(options.python, pythonScript())
  if (python === undefined) absent['python'] = 'needs --python: faiss, usearch and numpy in a process of their own'
  const done: Section[] = []
  const show = (section: Section) => {
    done.push(section)
    print(sectionTable(section))
  }
  try {
    const peers: Peer[] = []
    if (npm.usearch) peers.push(new UsearchPeer(npm.usearch))
    if (python) peers.push(new PythonPeer(python))
    const core = sections.filter((name) => name !== 'search')
    const embedded = loadEmbedded()
    await runCore({ sizes, sections: core, embedded, peers, show })
    if (python && sections.includes('kernels')) show(await numpySection(python, sizes))
    await runCore({ sizes, sections: sections.filter((name) => name === 'search'), embedded, peers, show })
    const workers = sections.includes('workers') ? await workerSection(embedded, sizes) : undefined
    if (workers) show(workers)
    if (sections.includes('peers')) show(await smallPeerSection(npm, sizes))
    if (sections.includes('start')) show(startSection(sizes.turns))
  } finally {
    python?.close()
  }
  const { version } = JSON.parse(readFileSync(here('../package.json'), 'utf8')) as { version: string }
  const versions = { packvec: version, ...npm.versions, ...prefixed(python?.versions ?? {}) }
  return makeReport({ sizes, sections: done, versions, absent, startedAt })
}

function pythonScript(): string {
  return here('../bench/peers.py')
}

function prefixed(versions: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(versions).map(([name, version]) => [`python: ${name}`, version]))
}

async function main(): Promise<void> {
  if (process.argv.includes('--help')) return console.log(USAGE)
  const options = parseOptions(process.argv.slice(2), here('bench.json'))
  const report = await bench(options, console.log)
  console.log('\nFigures: quotients of medians, and of minima, of one interleaved run')
  console.log(markdownTable(FIGURE_HEAD, figureRows(report)))
  for (const [name, why] of Object.entries(report.absent)) console.log(`${name}: ${why}`)
  writeFileSync(options.out, `${JSON.stringify(report, null, 2)}\n`)
  const svg = options.out.replace(/(\.json)?$/, '.svg')
  writeFileSync(svg, chart(report))
  console.log(
    `\n${report.seconds} s, peak ${report.peakMegabytes} MB, load ${report.load}; wrote ${options.out} and ${svg}`,
  )
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
