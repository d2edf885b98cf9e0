import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it, vi } from 'vitest'
import { Calibration, QuantizedIndex } from '../src/index.js'
import { Rotation } from '../src/rotations.js'
import { decodeIndex, encodeIndex } from '../src/storage.js'

const DIMS = 64

function rows(count: number, seed: number) {
  return { data: Float32Array.from({ length: count * DIMS }, (_, i) => Math.sin((i + seed) * i)), dims: [count, DIMS] }
}

/** Runs `work` and returns the bytes of each memory it opened. */
function memoriesOf(work: () => void): number[] {
  const opened: number[] = []
  watchMemories(work, (_memory, { initial }) => opened.push(65_536 * initial))
  return opened
}

/** Whether each memory that `work` opens is still there, now and later, as far as the collector has looked. */
function aliveOf(work: () => void): () => boolean[] {
  const memories: WeakRef<WebAssembly.Memory>[] = []
  watchMemories(work, (memory) => memories.push(new WeakRef(memory)))
  return () => memories.map((memory) => memory.deref() !== undefined)
}

function watchMemories(
  work: () => void,
  onOpened: (memory: WebAssembly.Memory, descriptor: WebAssembly.MemoryDescriptor) => void,
): void {
  const { Memory } = WebAssembly
  WebAssembly.Memory = class extends Memory {
    constructor(descriptor: WebAssembly.MemoryDescriptor) {
      super(descriptor)
      onOpened(this, descriptor)
    }
  }
  try {
    work()
  } finally {
    WebAssembly.Memory = Memory
  }
}

// Ranges are found in the workspace that functions without an index share: it is opened here, once for all.
const calibration = Calibration.from(rows(100, 1))

/** Twice, with a turn of the event loop each: memories and instances refer to one another through host objects. */
async function collectGarbage(): Promise<void> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  for (let i = 0; i < 2; i++) {
    await new Promise((resolve) => setTimeout(resolve, 10))
    collect()
  }
}

describe('the memory of an index', () => {
  it('is one, made by build', () => {
    let index: QuantizedIndex | undefined
    const opened = memoriesOf(() => {
      index = QuantizedIndex.build(rows(5000, 2))
      index.search(rows(1, 3).data)
    })
    expect(opened).toEqual([index!.byteLength])
  })

  it('is one, made by decodeIndex', () => {
    const bytes = encodeIndex(QuantizedIndex.build(rows(5000, 2)))
    let index: QuantizedIndex | undefined
    const opened = memoriesOf(() => {
      index = decodeIndex(bytes)
    })
    expect(opened).toEqual([index!.byteLength])
  })

  it('is made once when rows are added up to the capacity, and holds the codes once', () => {
    const capacity = 70_000
    const chunk = rows(10_000, 4)
    let index: QuantizedIndex | undefined
    const opened = memoriesOf(() => {
      index = QuantizedIndex.build(chunk, { ranges: calibration, capacity })
      for (let i = 1; i < 7; i++) index.add(chunk)
      index.search(chunk.data.slice(0, DIMS), { topK: 100 })
    })
    expect(index!.size).toBe(capacity)
    expect(opened).toEqual([index!.byteLength])
    expect(index!.byteLength).toBeLessThan(1.25 * index!.codeBytes)
  })

  it('is made anew by the row behind the capacity', () => {
    const opened = memoriesOf(() =>
      QuantizedIndex.build(rows(100, 5), { ranges: calibration, capacity: 100 }).add(rows(1, 6)),
    )
    expect(opened.length).toBe(2)
  })
})

describe('an index that is disposed', () => {
  const index = QuantizedIndex.build(rows(100, 9), {
    ranges: calibration,
    rotation: Rotation.hadamard(DIMS, { seed: 1 }),
  })
  const query = rows(1, 3).data
  index.search(query)
  index.dispose()

  const uses: Record<string, () => unknown> = {
    size: () => index.size,
    rows: () => index.rows,
    dims: () => index.dims,
    codeBytes: () => index.codeBytes,
    byteLength: () => index.byteLength,
    backend: () => index.backend,
    coarse: () => index.coarse,
    rescore: () => index.rescore,
    calibration: () => index.calibration,
    rotation: () => index.rotation,
    clipped: () => index.clipped,
    add: () => index.add(rows(1, 3)),
    'add of nothing': () => index.add([]),
    search: () => index.search(query),
    'search for nothing': () => index.search([]),
    searchMany: () => index.searchMany(query),
    parts: () => index.parts,
  }

  it.each(Object.entries(uses))('throws DISPOSED on %s', (_name, use) => {
    expect(use).toThrow(expect.objectContaining({ name: 'PackvecError', code: 'DISPOSED', argument: 'index' }))
  })

  it('has no other public members, and may be disposed again', () => {
    const members = Object.getOwnPropertyNames(QuantizedIndex.prototype)
    const known = new Set([...Object.keys(uses), 'constructor', 'dispose'])
    expect(members.filter((name) => !known.has(name))).toEqual([])
    expect(() => index.dispose()).not.toThrow()
  })

  it('is one whose block has ended, where it was declared with using', () => {
    const kept = QuantizedIndex.build(rows(10, 2))
    {
      using scoped = kept
      expect(scoped.size).toBe(10)
    }
    expect(() => kept.size).toThrow(expect.objectContaining({ code: 'DISPOSED' }))
  })

  it('lets the collector have its memory although the index is still held', async () => {
    let held: QuantizedIndex | undefined
    const alive = aliveOf(() => {
      held = QuantizedIndex.build(rows(100, 9), { ranges: calibration })
    })
    held!.search(query)
    await collectGarbage()
    expect(alive()).toEqual([true])
    held!.dispose()
    await collectGarbage()
    expect(alive()).toEqual([false])
    expect(() => held!.size).toThrow()
  })
})

describe('10,000 indexes, made and dropped', () => {
  it.each([
    ['forgotten', () => {}],
    ['disposed', (index: QuantizedIndex) => index.dispose()],
  ])('leave nothing behind when they are %s', async (_title, drop) => {
    const corpus = rows(20, 1)
    const query = rows(1, 3).data
    const make = (count: number) => {
      for (let i = 0; i < count; i++) {
        const index = QuantizedIndex.build(corpus, { ranges: calibration })
        index.search(query, { topK: 2 })
        drop(index)
      }
    }
    make(100)
    await collectGarbage()
    const before = process.memoryUsage()
    const alive = aliveOf(() => make(10_000))
    await collectGarbage()
    const left = alive()
    const after = process.memoryUsage()
    expect(left.length).toBe(10_000)
    expect(left.filter(Boolean).length).toBe(0)
    // 100 bytes an index would be found; the weak references and the runner take some.
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(1e6)
    expect(after.heapUsed - before.heapUsed).toBeLessThan(2e6)
  })
})

describe('building an index', () => {
  it('searches the first of its kind a few times, so that the first search finds everything compiled', () => {
    const search = vi.spyOn(QuantizedIndex.prototype, 'search')
    const first = QuantizedIndex.build(rows(2000, 7), { coarse: 'int4' })
    expect(search).toHaveBeenCalledTimes(32)
    const second = QuantizedIndex.build(rows(2000, 7), { coarse: 'int4' })
    expect(search).toHaveBeenCalledTimes(32)
    search.mockRestore()
    const query = rows(1, 8).data
    expect(second.search(query)).toEqual(first.search(query))
  })

  it('searches no index of less than 1,024 rows', () => {
    const search = vi.spyOn(QuantizedIndex.prototype, 'search')
    QuantizedIndex.build(rows(1023, 7), { coarse: 'ternary' })
    expect(search).not.toHaveBeenCalled()
    search.mockRestore()
  })
})
