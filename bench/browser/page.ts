import { decodeNpy } from '../../src/formats/npy.js'
import { backend } from '../../src/index.js'
import { ratiosOf } from '../figures.js'
import { type Section, sectionTable } from '../results.js'
import { runCore } from '../run.js'
import type { Embedded } from '../search/corpus.js'
import { SIZES, type Sizes } from '../sizes.js'

// The page that `bench/browser/drive.ts` opens: the same kernels and searches, with the browser's own engine.

async function fetchNpy(name: string) {
  return decodeNpy(await (await fetch(`/${name}.npy`)).arrayBuffer())
}

async function loadEmbedded(): Promise<Embedded> {
  const [train, test] = await Promise.all([fetchNpy('banking77_train'), fetchNpy('banking77_test')])
  return {
    name: 'all-MiniLM-L6-v2 over Banking77',
    dims: train.dims[1]!,
    rows: train.data as Float32Array,
    questions: test.data as Float32Array,
  }
}

/** Runs the core bench; tables go to the console as they are ready. */
async function packvecBench(size: Sizes['name']) {
  const show = (section: Section) => console.log(sectionTable(section))
  const sections = ['limits', 'kernels', 'search']
  const done = await runCore({ sizes: SIZES[size], sections, embedded: await loadEmbedded(), peers: [], show })
  const lines = done.flatMap(({ lines }) => lines)
  return { backend: backend(), isolated: crossOriginIsolated, sections: done, ...ratiosOf(lines, undefined) }
}

Object.assign(globalThis, { packvecBench })
