import { parseArgs } from 'node:util'
import type { Sizes } from './sizes.js'

export const SECTIONS = ['limits', 'kernels', 'search', 'workers', 'peers', 'start'] as const
export type SectionName = (typeof SECTIONS)[number]

export interface BenchOptions {
  readonly size: Sizes['name']
  readonly sections: readonly SectionName[]
  /** The interpreter that runs bench/peers.py. */
  readonly python: string | undefined
  /** The JSON file; the chart lies beside it. */
  readonly out: string
}

export const USAGE = `npm run bench -- [--quick] [--only SECTION]... [--python INTERPRETER] [--out FILE]
  --quick      small sizes: a look, not a measurement
  --only       ${SECTIONS.join(', ')}; may be given several times
  --python     also faiss, usearch and numpy, in a process of this interpreter (python3, or a virtual environment's)
  --out        the JSON file, build/bench.json by default; the chart gets the same name with .svg`

export function parseOptions(args: readonly string[], out: string): BenchOptions {
  // --python may stand alone.
  const words = args.flatMap((word, i) =>
    word === '--python' && (args[i + 1]?.startsWith('--') ?? true) ? [word, 'python3'] : [word],
  )
  const { values } = parseArgs({
    args: words,
    options: {
      quick: { type: 'boolean', default: false },
      tiny: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [] },
      python: { type: 'string' },
      out: { type: 'string', default: out },
    },
  })
  const unknown = values.only.find((name) => !SECTIONS.includes(name as SectionName))
  if (unknown !== undefined) throw new Error(`--only takes ${SECTIONS.join(', ')}; got ${unknown}`)
  return {
    size: values.tiny ? 'tiny' : values.quick ? 'quick' : 'full',
    sections: values.only.length > 0 ? (values.only as SectionName[]) : SECTIONS,
    python: values.python,
    out: values.out,
  }
}
