import { writeFileSync } from 'node:fs'
import { arch, cpus, platform } from 'node:os'
import { firstRowMs, indexReport } from './end-to-end.js'
import { dotF32Report, dotI8Report, encodingReports, hammingReport, type KernelReport } from './kernels.js'

const machine = `${cpus()[0]?.model.trim()}, ${cpus().length} cores, ${platform()} ${arch()}, Node ${process.version}`
console.log(`${machine}; milliseconds, min / median; ratios of medians`)

function line(cells: readonly string[]): void {
  console.log(`| ${cells.join(' | ')} |`)
}

const gigabytes = (report: KernelReport, ms: number) => (report.bytes / ms / 1e6).toFixed(1)

line(['kernel', 'ms', 'plain JavaScript ms', 'times JavaScript', 'GB/s', 'best read GB/s', 'of the read limit'])
line(Array.from({ length: 7 }, () => '---'))
const kernels: KernelReport[] = []
for (const measure of [encodingReports, () => [hammingReport()], () => [dotI8Report()], () => [dotF32Report()]]) {
  for (const report of measure()) {
    const { what, kernel, javascript, read } = report
    kernels.push(report)
    line([
      what,
      `${kernel.min.toFixed(2)} / ${kernel.median.toFixed(2)}`,
      `${javascript.min.toFixed(1)} / ${javascript.median.toFixed(1)}`,
      (javascript.median / kernel.median).toFixed(1),
      gigabytes(report, kernel.median),
      gigabytes(report, read.median),
      (read.median / kernel.median).toFixed(2),
    ])
  }
}

const index = indexReport()
console.log(
  `\n593,891 x 384 as binary + int8: built in ${index.buildMs.toFixed(0)} ms, ` +
    `${(index.byteLength / index.codeBytes).toFixed(3)} times its code bytes`,
)
line(['search', 'ms'])
line(['---', '---'])
for (const { name, min, median } of index.searches) line([name, `${min.toFixed(2)} / ${median.toFixed(2)}`])

const first = firstRowMs(11)
const firstMedian = first[Math.floor(first.length / 2)]!
console.log(`\nimport and quantize a first row: ${first[0]!.toFixed(1)} / ${firstMedian.toFixed(1)} ms`)

writeFileSync(
  new URL('bench.json', import.meta.url),
  `${JSON.stringify({ machine, kernels, index, first }, null, 2)}\n`,
)
