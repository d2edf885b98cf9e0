import type { BuildProgress, WorkOptions } from '../node.js'
import { abortedBySignal } from './signals.js'
import { clearProgress, grouped, progress } from './terminal.js'

const PHASES = { spool: 'reading', calibrate: 'calibrating', copy: 'copying', encode: 'encoding', verify: 'verifying' }

/** Bytes a value, for the choice whether work is long enough to tell about. */
const VALUE_BYTES = 4

/** Runs work on an index file: tells how far it is, and ends it in order when a signal asks for it. */
export async function withWork<T>(path: string, run: (work: Required<WorkOptions>) => Promise<T>): Promise<T> {
  try {
    return await abortedBySignal(path, (signal) => run({ signal, onProgress: (state) => show(path, state) }))
  } finally {
    clearProgress()
  }
}

function show(path: string, { phase, rows, totalRows, bytesPerSecond, secondsLeft }: BuildProgress): void {
  const total = totalRows === undefined ? '' : ` of ${grouped(totalRows)}`
  const left = secondsLeft === undefined ? '' : `, ${Math.ceil(secondsLeft)} s left`
  const speed = `${grouped(Math.round(bytesPerSecond / 1e6))} MB/s${left}`
  // Told as soon as the whole of it is long, however little is done.
  const seconds = (secondsLeft ?? 0) + 1
  progress(`${path}: ${PHASES[phase]} row ${grouped(rows)}${total}, ${speed}`, (seconds * bytesPerSecond) / VALUE_BYTES)
}
