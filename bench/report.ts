import { existsSync, readFileSync } from 'node:fs'
import { arch, cpus, loadavg, platform, totalmem } from 'node:os'
import { gzipSync } from 'node:zlib'
import { type Ratios, ratiosOf } from './figures.js'
import type { Absent, Section } from './results.js'
import { SEED } from './search/corpus.js'
import { BATCH, type Sizes, TOP_K } from './sizes.js'

/** What `build/bench.json` holds. */
export interface Report extends Ratios {
  readonly machine: Readonly<Record<string, string | number>>
  readonly versions: Readonly<Record<string, string>>
  readonly settings: Readonly<Record<string, unknown>>
  readonly absent: Absent
  readonly seconds: number
  /** Of this process; peers in Python come on top. */
  readonly peakMegabytes: number
  /** Runnable processes on average over the last minute, at the end: 1 is this bench alone. */
  readonly load: number
  readonly sections: readonly Section[]
}

export function machine(): Record<string, string | number> {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    lastLevelCache: lastLevelCache(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${arch()}`,
    runtime: `Node ${process.version.slice(1)}`,
  }
}

/** As the system says it; virtual machines often show a cache that they share with others. */
function lastLevelCache(): string {
  const path = '/sys/devices/system/cpu/cpu0/cache/index3/size'
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : 'unknown'
}

/** All kernels that a user may load, compressed as a server would. */
export function kernelsGzipBytes(): number {
  const names = ['kernels.wasm', 'linear.wasm'].map((name) => new URL(`../build/${name}`, import.meta.url))
  const present = names.filter((name) => existsSync(name))
  return present.reduce((sum, name) => sum + gzipSync(readFileSync(name), { level: 9 }).length, 0)
}

export interface ReportParts {
  readonly sizes: Sizes
  readonly sections: readonly Section[]
  readonly versions: Readonly<Record<string, string>>
  readonly absent: Absent
  readonly startedAt: number
}

export function makeReport({ sizes, sections, versions, absent, startedAt }: ReportParts): Report {
  return {
    ...ratiosOf(
      sections.flatMap(({ lines }) => lines),
      kernelsGzipBytes(),
    ),
    machine: machine(),
    versions,
    settings: { sizes, seed: SEED, topK: TOP_K, batch: BATCH, threads: 1 },
    absent,
    seconds: Math.round((performance.now() - startedAt) / 1000),
    peakMegabytes: Math.round(process.resourceUsage().maxRSS / 1024),
    load: Number(loadavg()[0]!.toFixed(2)),
    sections,
  }
}
