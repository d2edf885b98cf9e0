import { describe, expect, it, vi } from 'vitest'
import { Calibration, QuantizedIndex } from '../src/index.js'
import { decodeIndex, encodeIndex } from '../src/storage.js'

const DIMS = 64

function rows(count: number, seed: number) {
  return { data: Float32Array.from({ length: count * DIMS }, (_, i) => Math.sin((i + seed) * i)), dims: [count, DIMS] }
}

/** Runs `work` and returns the bytes of each memory it opened. */
function memoriesOf(work: () => void): number[] {
  const { Memory } = WebAssembly
  const opened: number[] = []
  WebAssembly.Memory = class extends Memory {
    constructor(descriptor: WebAssembly.MemoryDescriptor) {
      super(descriptor)
      opened.push(65_536 * descriptor.initial)
    }
  }
  try {
    work()
  } finally {
    WebAssembly.Memory = Memory
  }
  return opened
}

describe('the memory of an index', () => {
  // Ranges are found in the workspace that functions without an index share: it is opened here, once for all.
  const calibration = Calibration.from(rows(100, 1))

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
      index = QuantizedIndex.build(chunk, { calibration, capacity })
      for (let i = 1; i < 7; i++) index.add(chunk)
      index.search(chunk.data.slice(0, DIMS), { topK: 100 })
    })
    expect(index!.size).toBe(capacity)
    expect(opened).toEqual([index!.byteLength])
    expect(index!.byteLength).toBeLessThan(1.25 * index!.codeBytes)
  })

  it('is made anew by the row behind the capacity', () => {
    const opened = memoriesOf(() => QuantizedIndex.build(rows(100, 5), { calibration, capacity: 100 }).add(rows(1, 6)))
    expect(opened.length).toBe(2)
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
