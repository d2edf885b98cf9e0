import { readFile } from 'node:fs/promises'
import { type CsvError, parse } from 'csv-parse/sync'
import { checkCount } from '../base/check.js'
import { PackvecError } from '../base/errors.js'
import { readNpy } from '../files/array-files.js'
import { checkPath } from '../files/path.js'
import type { Grades } from './metrics.js'

/** More than anyone grades, and no more than there is memory for. */
const MAX_QUERIES = 2 ** 24

/** Names of the wanted column, if there is a header. */
const LABEL_COLUMNS = ['label', 'labels', 'category', 'class', 'intent']
const SCORE_COLUMNS = ['score', 'scores', 'similarity']

/**
 * Labels, one per row of an array: a .txt file with one per line, the last column of a .csv or .tsv file (or its column
 * named label, category, class or intent), or a .npy vector. Where there is one line more than rows, the first is a
 * header.
 * @throws PackvecError IO, INVALID_FILE
 */
export async function readLabels(path: string, rows: number): Promise<string[]> {
  const labels = await readColumn(path, rows, LABEL_COLUMNS)
  const empty = labels.indexOf('')
  if (empty >= 0) throw invalid(path, `the label of row ${empty} is empty`)
  return labels
}

/** Scores, one per pair, from the same kinds of files. @throws PackvecError IO, INVALID_FILE */
export async function readScores(path: string, rows: number): Promise<number[]> {
  const texts = await readColumn(path, rows, SCORE_COLUMNS)
  return texts.map((text, row) => parseNumber(text, path, `the score of row ${row}`))
}

/**
 * Relevance as BEIR and TREC write it: query, document, grade (a tab between, .csv with commas), or query, 0, document,
 * grade. Queries and documents are rows of the arrays, counted from 0. A first line that holds no numbers is a header.
 * @throws PackvecError IO, INVALID_FILE
 */
export async function readQrels(path: string, queries: number): Promise<Grades[]> {
  if (checkCount(queries, 'queries', 0) > MAX_QUERIES) {
    throw new PackvecError('TOO_LARGE', 'queries', `queries must be at most ${MAX_QUERIES}, got ${queries}`)
  }
  const records = await readRecords(path)
  const grades = Array.from({ length: queries }, () => new Map<number, number>())
  const header = records[0]?.some((field) => /^[0-9]+$/.test(field)) ? 0 : 1
  for (const [i, record] of records.entries()) {
    if (i < header) continue
    const fields = record.length === 4 ? [record[0]!, ...record.slice(2)] : record
    if (fields.length !== 3) {
      throw invalid(path, `record ${i + 1} has ${record.length} fields, expected query, document, grade`)
    }
    const [query, document, grade] = fields.map((field, at) => {
      return parseNumber(field, path, `${['the query', 'the document', 'the grade'][at]} of record ${i + 1}`)
    })
    const graded = grades[query!]
    if (graded === undefined) {
      throw invalid(path, `record ${i + 1} names query ${query}, but the queries are 0 to ${queries - 1}`)
    }
    graded.set(document!, grade!)
  }
  return grades
}

/**
 * Records of a .csv file (quotes as in RFC 4180), of a .tsv file (no quotes, a tab is a tab), or lines of a text.
 * Records of different lengths are refused unless `ragged` says that the file is known to have them.
 */
export async function readRecords(given: string, options: { readonly ragged?: boolean } = {}): Promise<string[][]> {
  const path = checkPath(given)
  const text = await readText(path)
  if (!/\.[ct]sv$/i.test(path)) return splitLines(text).map((line) => [line])
  const tabs = /\.tsv$/i.test(path)
  try {
    return parse(text, {
      bom: true,
      delimiter: tabs ? '\t' : ',',
      quote: tabs ? null : '"',
      skip_empty_lines: true,
      relax_column_count: options.ragged === true,
    })
  } catch (cause) {
    throw invalid(path, (cause as CsvError).message, cause)
  }
}

async function readColumn(given: string, rows: number, names: readonly string[]): Promise<string[]> {
  const path = checkPath(given)
  checkCount(rows, 'rows', 0)
  if (/\.npy$/i.test(path)) {
    const { data, dims } = await readNpy(path)
    if (dims.length !== 1 || dims[0] !== rows) {
      throw invalid(path, `expected a vector of ${rows} values, got shape ${dims.join(' x ')}`)
    }
    return Array.from(data, String)
  }
  const records = await readRecords(path)
  if (records.length !== rows && records.length !== rows + 1) {
    throw invalid(path, `has ${records.length} records, but the embeddings have ${rows} rows`)
  }
  const header = records.length > rows ? records.shift()! : []
  const named = header.findIndex((name) => names.includes(name.trim().toLowerCase()))
  return records.map((record) => record.at(named)!.trim())
}

function parseNumber(text: string, path: string, what: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (Number.isFinite(value)) return value
  throw invalid(path, `${what} must be a number, got ${JSON.stringify(text)}`)
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    const { message } = cause as Error
    throw new PackvecError('IO', 'path', `cannot read ${path}: ${message}`, { cause })
  }
}

function splitLines(text: string): string[] {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/)
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines
}

function invalid(path: string, message: string, cause?: unknown): PackvecError {
  return new PackvecError('INVALID_FILE', 'path', `${path}: ${message}`, { cause })
}
