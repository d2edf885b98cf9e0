import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { decodeNpy } from '../../src/formats/npy.js'

/** Texts and their embeddings: row i of `embeddings` belongs to `texts[i]`. */
export interface TextSet {
  readonly texts: string[]
  readonly embeddings: { readonly data: Float32Array; readonly dims: readonly [rows: number, dims: number] }
}

export function loadTextSet(name: string): TextSet {
  const folder = dataFolder()
  const { data, dims } = decodeNpy(readFileSync(join(folder, `${name}.npy`)))
  const [rows, width] = dims
  if (!(data instanceof Float32Array) || rows === undefined || width === undefined) {
    throw new Error(`${name}.npy must be a float32 matrix, got shape ${dims.join(' x ')}`)
  }
  const texts = readTexts(readFileSync(join(folder, `${name}.csv`), 'utf8'))
  if (texts.length !== rows) throw new Error(`${name}: ${texts.length} texts, but ${rows} embeddings`)
  return { texts, embeddings: { data, dims: [rows, width] } }
}

/** The bundle lies in build/, this file in examples/terminal/; the working folder is the last resort. */
function dataFolder(): string {
  const here = fileURLToPath(new URL('.', import.meta.url))
  const folders = [join(here, '../examples/data'), join(here, '../data'), join(process.cwd(), 'examples/data')]
  const found = folders.find((folder) => existsSync(join(folder, 'banking77_train.npy')))
  if (found === undefined) throw new Error(`the example data is in none of ${folders.join(', ')}`)
  return found
}

/** The first column of a CSV file with one record a line and a header; quotes inside a text are doubled. */
function readTexts(csv: string): string[] {
  const records = csv.trimEnd().split('\n').slice(1)
  return records.map((record) => {
    const quoted = /^"((?:[^"]|"")*)"/.exec(record)
    return quoted ? quoted[1]!.replaceAll('""', '"') : record.slice(0, record.indexOf(','))
  })
}
