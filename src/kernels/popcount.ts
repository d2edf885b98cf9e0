import type { PopcountForm } from './workspace.js'
import { forcedPopcount } from './workspace.js'

/**
 * Codes that both forms scan to be compared: enough for a clock of a few microseconds, and little enough that all rounds
 * take less than 1 ms (measured: 0.5 ms in Node 20, most of it the first compilation of both forms).
 */
const SAMPLE_BYTES = 65_536
/** Wider rows are not compared: the counters of their distances would take longer than the sample. */
const MAX_ROW_BYTES = 1024
const ROUNDS = 8
/** Rounds that `i8x16` must win: the median round with something to spare. */
const MAJORITY = 6

const measured = new Map<number, PopcountForm>()

/**
 * The form that scans rows of this width: the one that `init` forced, or else the one that `scan` shows to be faster on
 * `sampleRows(rowBytes)` rows, tried once a process and width. Where there are fewer rows, no clock, or one that stands
 * still (workerd), it is 'i64'. The results of a search do not depend on it.
 */
export function popcountForm(
  rowBytes: number,
  rowCount: number,
  scan: (form: PopcountForm, rows: number) => void,
  clock: (() => number) | undefined = now,
): PopcountForm {
  const forced = forcedPopcount()
  if (forced !== undefined) return forced
  const known = measured.get(rowBytes)
  if (known !== undefined) return known
  const rows = sampleRows(rowBytes)
  if (rowCount < rows || rowBytes > MAX_ROW_BYTES) return 'i64'
  const form = fasterPopcount((form) => scan(form, rows), clock)
  measured.set(rowBytes, form)
  return form
}

/** Rows of the sample: a multiple of 8, so that all of them are scanned in streams. */
export function sampleRows(rowBytes: number): number {
  return (SAMPLE_BYTES / rowBytes) & ~7
}

/**
 * Runs both forms in turns and counts the rounds that 'i8x16' wins. The work is fixed, whatever the clock says; a clock too
 * coarse to tell the two apart leaves 'i64'.
 */
export function fasterPopcount(run: (form: PopcountForm) => void, clock: (() => number) | undefined): PopcountForm {
  if (clock === undefined) return 'i64'
  // Compiles both and brings the rows into the cache.
  run('i8x16')
  run('i64')
  let wins = 0
  for (let round = 0; round < ROUNDS; round++) {
    const start = clock()
    run('i8x16')
    const between = clock()
    run('i64')
    if (between - start < clock() - between) wins++
  }
  return wins >= MAJORITY ? 'i8x16' : 'i64'
}

const now = typeof performance === 'object' ? () => performance.now() : undefined
