import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { vi } from 'vitest'
import { run } from '../../src/cli/program.js'
import { encodeNpy, type NpyData } from '../../src/formats/npy.js'
import { QuantizedIndex } from '../../src/index.js'
import { encodeIndex } from '../../src/storage.js'
import { matrix } from '../random.js'
import { indexFile } from '../storage/index-files.js'

/** Runs the command line as if it were typed; gives its exit code and the lines that it wrote to stderr. */
export async function typed(args: readonly string[]): Promise<{ exit: number; lines: string[] }> {
  const lines: string[] = []
  const spies = [
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => lines.push(String(text)) > 0),
    vi.spyOn(process.stdout, 'write').mockImplementation(() => true),
  ]
  const { argv, exitCode } = process
  const forget = rememberListeners()
  process.argv = [argv[0]!, 'packvec', ...args]
  try {
    await run()
    return { exit: Number(process.exitCode ?? 0), lines: lines.map((line) => line.trimEnd()) }
  } finally {
    forget()
    process.argv = argv
    process.exitCode = exitCode
    for (const spy of spies) spy.mockRestore()
  }
}

/** Takes back the listeners that are added from now on. */
function rememberListeners(): () => void {
  const places = [process, process.stdout, process.stderr].flatMap((emitter: NodeJS.EventEmitter) =>
    ['error', 'SIGINT', 'SIGTERM', 'SIGHUP'].map((event) => ({ emitter, event, known: emitter.listeners(event) })),
  )
  return () => {
    for (const { emitter, event, known } of places) {
      for (const listener of emitter.listeners(event)) {
        if (!known.includes(listener)) emitter.removeListener(event, listener as () => void)
      }
    }
  }
}

/** What may be typed wrongly; names of files are those of the folder. */
export function typos(folder: string): string[][] {
  const file = (name: string) => join(folder, name)
  const save = (name: string, data: NpyData, dims: number[]) => writeFileSync(file(name), encodeNpy(data, dims))
  const index = QuantizedIndex.build(matrix(40, 8, 1), { onWarning: () => {} })
  save('corpus.npy', matrix(40, 8, 1).data, [40, 8])
  save('queries.npy', matrix(3, 8, 2).data, [3, 8])
  save('few.npy', new Float32Array(14), [2, 7])
  save('codes8.npy', new Int8Array(8), [2, 4])
  save('cube3.npy', new Float32Array(8), [2, 2, 2])
  save('no-columns.npy', new Float32Array(0), [2, 0])
  save('wide.npy', new Float64Array(8), [2, 4])
  writeFileSync(file('corpus.index'), encodeIndex(index))
  writeFileSync(file('named.index'), indexFile(index, { keys: Array.from({ length: 40 }, (_, i) => `row ${i}`) }))
  writeFileSync(file('bad-ids.jsonl'), 'not JSON\n')
  writeFileSync(file('long-ids.jsonl'), 'x'.repeat(2 ** 20 + 70_000))
  writeFileSync(file('missing-ids.jsonl'), '"row 1"\n"row 99"\n')
  writeFileSync(file('page.html'), '<!doctype html><p>Sign in')
  const output = ['-o', file('out')]
  const quantize = (...flags: string[]) => ['quantize', file('corpus.npy'), ...output, ...flags]
  const build = (...flags: string[]) => ['index', 'build', file('corpus.npy'), ...output, ...flags]
  const search = (...flags: string[]) => searchIndex('corpus.index', 'queries.npy', ...flags)
  const searchIndex = (name: string, queries: string, ...flags: string[]) => [
    'index',
    'search',
    file(name),
    '--queries',
    file(queries),
    ...flags,
  ]
  const searchRows = (queries: string, ...flags: string[]) => [
    'search',
    '--corpus',
    file('corpus.npy'),
    '--queries',
    file(queries),
    ...flags,
  ]
  return [
    [],
    ['quantise'],
    ['quantize'],
    ['quantize', file('missing.npy'), ...output, '--precision', 'int8'],
    quantize(),
    quantize('--precision', 'int5'),
    quantize('--precision', 'int8', '--percentiles', '99,1'),
    quantize('--precision', 'int8', '--seed', '-1'),
    quantize('--precision', 'int8', '--truncate', '0'),
    quantize('--precision', 'int8', '--truncate', '9'),
    quantize('--precision', 'int8', '--calibration', file('few.npy')),
    quantize('--precision', 'int8', '--ranges', file('corpus.npy')),
    quantize('--precision', 'binary', '--ranges', file('few.npy'), '--calibration', file('corpus.npy')),
    quantize('--precision', 'float32', '--scales', file('scales'), '--rotation-matrix', file('matrix')),
    ['quantize', file('codes8.npy'), ...output, '--precision', 'int8'],
    ['quantize', file('cube3.npy'), ...output, '--precision', 'int8'],
    ['quantize', file('corpus.npy'), '-o', file('corpus.npy'), '--precision', 'int8'],
    searchRows('few.npy'),
    searchRows('queries.npy', '--top-k', 'ten'),
    searchRows('queries.npy', '--rescore-multiplier', '0'),
    searchRows('queries.npy', '--ranges', file('few.npy')),
    searchRows('queries.npy', '--coarse', 'int8', '--scale', '--rescore', 'int5'),
    build('--ids', file('bad-ids.jsonl')),
    build('--ids', file('long-ids.jsonl')),
    build('--metadata', 'note'),
    build('--like', file('corpus.index'), '--coarse', 'int8'),
    search('--min-score', 'high'),
    search('--filter', file('missing-ids.jsonl')),
    searchIndex('corpus.index', 'few.npy'),
    searchIndex('page.html', 'queries.npy'),
    searchIndex('named.index', 'queries.npy', '--filter', file('bad-ids.jsonl')),
    ['index', 'append', file('named.index'), file('queries.npy')],
    ['index', 'delete', file('named.index'), '--ids', file('missing-ids.jsonl')],
    ['inspect', file('page.html')],
    ['convert', file('cube3.npy'), file('out.faiss')],
    ['convert', file('no-columns.npy'), file('out.faiss')],
    ['convert', file('wide.npy'), file('out.faiss')],
    ['convert', file('codes8.npy'), file('out.faiss')],
    ['convert', file('corpus.npy'), file('out.faiss'), '--kind', 'binary'],
    ['convert', file('corpus.npy'), file('out.txt')],
    ['eval'],
    ['eval', 'sts'],
    ['eval', '--data', file('nowhere')],
    ['eval', '--a', file('corpus.npy')],
    ['eval', '--a', file('corpus.npy'), '--b', file('corpus.npy'), '--scores', file('nowhere.txt'), '--keep', '0'],
    ['eval', '--a', file('corpus.npy'), '--b', file('corpus.npy'), '--scores', file('nowhere.txt'), '--no-cache'],
  ]
}
