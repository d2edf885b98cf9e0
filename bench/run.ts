import { kernelSections } from './kernels/section.js'
import { limitSection } from './limits.js'
import type { Section } from './results.js'
import type { Embedded } from './search/corpus.js'
import type { Peer } from './search/peer.js'
import { searchSections } from './search/section.js'
import type { Sizes } from './sizes.js'

/** What runs anywhere: the same sections in Node and in a browser. */
export interface CoreRun {
  readonly sizes: Sizes
  readonly sections: readonly string[]
  readonly embedded: Embedded
  readonly peers: readonly Peer[]
  /** Called with each section as it is done. */
  show(section: Section): void
}

export async function runCore({ sizes, sections, embedded, peers, show }: CoreRun): Promise<Section[]> {
  const done: Section[] = []
  const add = (some: readonly Section[]) => {
    for (const section of some) {
      done.push(section)
      show(section)
    }
  }
  if (sections.includes('limits')) add([await limitSection(sizes)])
  if (sections.includes('kernels')) add(await kernelSections(sizes, embedded))
  if (sections.includes('search')) {
    for (const size of sizes.corpora) add(await searchSections(size, embedded, peers, sizes))
  }
  return done
}
