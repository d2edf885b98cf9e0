import { withoutSecrets } from '../base/errors.js'

/** Reading and quantizing fewer values than this is over before anyone wonders. */
const LONG_WORK_VALUES = 1 << 26

/**
 * C0, DEL and C1, which a terminal may obey, and what turns the direction of writing, in the form that JSON has for them: what
 * was JSON still is, with the same values. Line feeds stay.
 */
const CONTROLS = /(?!\n)[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu

/** Nothing that a file, a name or a server says reaches the terminal but through here. */
export function escapeControls(text: string): string {
  return text.replace(CONTROLS, (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** What the library recommends, by the names that the command line has for it: levels have none. */
const FLAGS: readonly (readonly [option: string, flag: string])[] = [
  ['`levels` or `calibrationEmbeddings`', '--calibration'],
  ['`calibrationEmbeddings`', '--calibration'],
  ['`ranges`', '--ranges'],
  ['ignoreMissing: true', '--ignore-missing'],
]

function withFlags(message: string): string {
  return FLAGS.reduce((text, [option, flag]) => text.replaceAll(option, flag), message)
}

/** One line on stderr for any message: file names and file contents may hold line breaks and escape codes. */
export function complain(message: string): void {
  clearProgress()
  const line = withFlags(withoutSecrets(message)).replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
  process.stderr.write(`packvec: ${escapeControls(line).trim()}\n`)
}

/** For the library's `onWarning`. */
export function warn(message: string): void {
  complain(`warning: ${message}`)
}

let progressShown = false

/** Reports the current work, on a terminal and for long work only: the next line overwrites it. */
export function progress(message: string, values: number): void {
  if (!process.stderr.isTTY || values < LONG_WORK_VALUES) return
  process.stderr.write(`\r\x1b[2Kpackvec: ${escapeControls(message.replaceAll('\n', ' '))}`)
  progressShown = true
}

export function clearProgress(): void {
  if (progressShown) process.stderr.write('\r\x1b[2K')
  progressShown = false
}

/** Writes to stdout piece by piece, no faster than it is read. */
export async function print(pieces: Iterable<string>): Promise<void> {
  clearProgress()
  for (const piece of pieces) {
    if (!process.stdout.write(escapeControls(piece)))
      await new Promise<void>((resolve) => process.stdout.once('drain', resolve))
  }
}

/** A reader that has seen enough, as in `packvec ... | head`, is no failure; a full disk is. */
export function handleStreamErrors(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0)
    complain(`cannot write the output: ${error.message}`)
    process.exit(1)
  })
  process.stderr.on('error', () => {})
}

/** Columns of text, aligned to the right, two blanks between them. */
export function* table(header: readonly string[], rows: readonly (readonly string[])[]): Generator<string> {
  const widths = header.map((title, column) =>
    rows.reduce((width, row) => Math.max(width, row[column]!.length), title.length),
  )
  for (const row of [header, ...rows]) {
    yield `${row.map((text, column) => text.padStart(widths[column]!)).join('  ')}\n`
  }
}

/** The shortest decimal that reads back as the same float32. */
export function shortFloat(value: number): string {
  if (!Number.isFinite(value)) return 'null'
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits))
    if (Math.fround(short) === value) return String(short)
  }
  return String(Number(value.toPrecision(9)))
}

/** 593891 as "593,891". */
export function grouped(count: number): string {
  return count.toLocaleString('en-US')
}
