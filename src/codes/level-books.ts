import { checkOneOf } from '../base/check.js'
import type { CodebookFamily } from './code.js'
import { checkLevels, type LevelPrecision, Levels, type LevelsJSON } from './levels.js'

/** Levels of a 2- or 4-bit code; `counts`: its rows of thresholds and of values. */
export function levelBooks(
  precision: LevelPrecision,
  counts: { readonly thresholds: number; readonly values: number },
): CodebookFamily {
  const scopeKey = (name: string) => `${name}.scope`
  return {
    option: 'levels',
    property: 'levels',
    noun: 'levels',
    scope: 'global',
    isWidened: false,
    isSampled: () => true,
    fit: (sources, options, argument) => Levels.fromSources(sources, precision, options, argument),
    read: (given, dims) => checkLevels(given, precision, dims ?? (given as Levels | null)?.dims ?? 0),
    check: (book, dims) => checkLevels(book, precision, dims),
    tensors: (name, dims) => [
      { name: `${name}.thresholds`, shape: [counts.thresholds, dims] },
      { name: `${name}.levels`, shape: [counts.values, dims] },
    ],
    metadata: (name, book) => ({ [scopeKey(name)]: (book as Levels).scope }),
    checkMetadata(name, metadata) {
      checkOneOf(metadata[scopeKey(name)], ['global', 'dimension'], `metadata ${scopeKey(name)}`)
    },
    values(book, i) {
      const { cuts, table } = book as Levels
      return Float32Array.from((i === 0 ? cuts : table).flatMap((row) => Array.from(row)))
    },
    open(name, { dims, metadata, floats }) {
      const rows = (suffix: string) => {
        const values = Array.from(floats(`${name}.${suffix}`))
        return Array.from({ length: values.length / dims }, (_, i) => values.slice(i * dims, (i + 1) * dims))
      }
      const scope = metadata[scopeKey(name)] as 'global'
      const saved = { precision, scope, dims, thresholds: rows('thresholds'), values: rows('levels') }
      return Levels.fromJSON({ format: 'packvec-levels', version: 1, ...saved })
    },
    fromJSON: (json) => Levels.fromJSON(json as LevelsJSON),
  }
}
