import type { Backend } from 'packvec'
import type { Measured } from './benchmark.js'

/** Where the benchmark ran and over what. */
export interface Circumstances {
  readonly backend: Backend
  readonly rows: number
  readonly dims: number
  readonly userAgent: string
  readonly cores: number
}

const HEAD = ['index', 'bytes/vector', 'build ms', 'min ms', 'median ms', 'recall@10']

/** A Markdown table with aligned columns: it reads well before it is rendered, too. */
export function benchmarkReport(measured: readonly Measured[], where: Circumstances): string {
  const rows = measured.map(({ name, bytesPerVector, buildMs, minMs, medianMs, recall }) => [
    name,
    String(Math.round(bytesPerVector)),
    buildMs.toFixed(1),
    minMs.toFixed(4),
    medianMs.toFixed(4),
    recall.toFixed(3),
  ])
  const widths = HEAD.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]!.length)))
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join(' | ')} |`
  const rule = `| ${widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`
  const kernels = where.backend === 'wasm' ? 'WebAssembly SIMD' : 'plain TypeScript'
  return [
    `packvec, ${where.rows} x ${where.dims}, top 10, one question at a time, one thread of ${where.cores}, ${kernels}`,
    where.userAgent,
    '',
    line(HEAD),
    rule,
    ...rows.map(line),
  ].join('\n')
}
