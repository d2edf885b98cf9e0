import { fillBytes, openArena, type ReadKernels } from './arena.js'
import { type Contender, interleave, type Timing } from './measure.js'
import type { Line, Section } from './results.js'
import type { Sizes } from './sizes.js'

/** The read loops over a region: what memory or cache gives a single thread. */
export function readers(read: ReadKernels, ptr: number, bytes: number): Contender[] {
  const whole = bytes - (bytes % 1024)
  return [
    { name: '1 stream', run: () => read.readStreams1(ptr, whole) },
    { name: '4 streams', run: () => read.readStreams4(ptr, whole) },
    { name: '8 streams', run: () => read.readStreams8(ptr, whole) },
  ]
}

export function best(timings: readonly Timing[]): Timing {
  return timings.reduce((least, timing) => (timing.median < least.median ? timing : least))
}

/** Read bandwidth by streams and by size, before anything is compared with it. */
export async function limitSection(sizes: Sizes): Promise<Section> {
  const lines: Line[] = []
  for (const bytes of sizes.limitBytes) {
    const { buffer, read, at } = openArena({ bytes })
    fillBytes(new Uint8Array(buffer, at.bytes, bytes), 7)
    const size = bytes >= 1e6 ? `${bytes / 1e6} MB` : `${bytes / 1024} KiB`
    for (const timing of await interleave(readers(read, at.bytes, bytes), sizes.turns)) {
      lines.push({ id: `read-${size}.${timing.name}`, what: `${size}, ${timing.name}`, timing, bytes })
    }
  }
  return { title: 'Limits: loops that only read, one thread', lines }
}
