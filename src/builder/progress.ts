/** How far the work on an index file is. */
export interface BuildProgress {
  /** 'spool' keeps batches that come once; 'calibrate' finds ranges; 'copy' takes rows from an index; 'encode' makes codes. */
  readonly phase: 'spool' | 'calibrate' | 'copy' | 'encode' | 'verify'
  /** Rows done in this phase. */
  readonly rows: number
  /** Rows of this phase; undefined while batches still come. */
  readonly totalRows: number | undefined
  /** Bytes of input a second, in this phase so far. */
  readonly bytesPerSecond: number
  /** For the rest of this phase; undefined where nobody knows. */
  readonly secondsLeft: number | undefined
}

/** Hears how far the work on an index file is. */
export type ProgressListener = (progress: BuildProgress) => void

/** Milliseconds between two reports. */
const INTERVAL_MS = 100

/** Reports one phase: often enough to follow, seldom enough to cost nothing, and always its end. */
export class Progress {
  readonly #listener: ProgressListener | undefined
  readonly #phase: BuildProgress['phase']
  readonly #totalRows: number | undefined
  readonly #rowBytes: number
  readonly #start = performance.now()
  #last = Number.NEGATIVE_INFINITY

  /** @param rowBytes bytes of input that count as one row */
  constructor(
    listener: ProgressListener | undefined,
    phase: BuildProgress['phase'],
    totalRows: number | undefined,
    rowBytes: number,
  ) {
    this.#listener = listener
    this.#phase = phase
    this.#totalRows = totalRows
    this.#rowBytes = rowBytes
  }

  report(rows: number): void {
    if (this.#listener === undefined) return
    const now = performance.now()
    if (rows !== this.#totalRows && now - this.#last < INTERVAL_MS) return
    this.#last = now
    const seconds = Math.max(now - this.#start, 1) / 1000
    this.#listener({
      phase: this.#phase,
      rows,
      totalRows: this.#totalRows,
      bytesPerSecond: (rows * this.#rowBytes) / seconds,
      secondsLeft: this.#totalRows === undefined ? undefined : (seconds * (this.#totalRows - rows)) / Math.max(rows, 1),
    })
  }
}
