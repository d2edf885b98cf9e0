import { describe, expect, test } from 'vitest'
import { Arena, BUILDS, randomBytes, randomFloats } from './open.js'

describe.each(BUILDS)('scores by a float32 table a byte, %s build', (build) => {
  const arena = new Arena(build, 24 << 20)

  test.each([8, 16, 48, 1024])('expandTable of %i bytes is the twin bit for bit', (rowBytes) => {
    for (const shift of [0, 1, 4]) {
      const nibblesPtr = arena.clear().put(randomFloats(32 * rowBytes, rowBytes), shift)
      const tablePtr = arena.space(1024 * rowBytes, shift)
      arena.agree((kernels) => kernels.expandTable(nibblesPtr, rowBytes, tablePtr))
    }
  })

  test('expandTable adds the entries of both nibbles of every value of every byte', () => {
    // High nibble h of byte b: 10,000 b + 100 h; low nibble: h.
    const nibbles = Float32Array.from({ length: 8 * 32 }, (_, i) =>
      i % 32 < 16 ? 10_000 * (i >> 5) + 100 * (i % 16) : i % 16,
    )
    const nibblesPtr = arena.clear().put(nibbles)
    const tablePtr = arena.space(8192)
    arena.agree((kernels) => kernels.expandTable(nibblesPtr, 8, tablePtr))
    const expected = (_: unknown, i: number) => 10_000 * (i >> 8) + 100 * ((i >> 4) & 15) + (i & 15)
    expect(arena.floats(tablePtr, 2048)).toEqual(Array.from({ length: 2048 }, expected))
  })

  test.each([8, 16, 24, 48, 96, 192, 200, 512])(
    'nibble tables give the bits of byte tables, rows of %i bytes',
    (rowBytes) => {
      for (const shift of [0, 1, 4]) {
        const nibblesPtr = arena.clear().put(randomFloats(32 * rowBytes, rowBytes), shift)
        const tablePtr = arena.space(1024 * rowBytes, shift)
        const codesPtr = arena.put(randomBytes(50 * rowBytes, 3), shift)
        const ids = Uint32Array.from({ length: 100 }, (_, i) => (i * 7) % 50)
        const idsPtr = arena.put(ids, shift)
        const [ownPtr, otherPtr] = [arena.space(400, shift), arena.space(400, shift)]
        arena.agree((kernels) => kernels.expandTable(nibblesPtr, rowBytes, tablePtr))
        const rounded = (ptr: number) => ({ rounded: [ptr, 100, 1e-4] }) as const
        arena.agree(
          (kernels) => kernels.dotTableRows(tablePtr, codesPtr, rowBytes, idsPtr, 100, otherPtr),
          rounded(otherPtr),
        )
        arena.agree(
          (kernels) => kernels.dotNibblesRows(nibblesPtr, codesPtr, rowBytes, idsPtr, 100, ownPtr),
          rounded(ownPtr),
        )
        expect(arena.floats(ownPtr, 100)).toEqual(arena.floats(otherPtr, 100))
      }
    },
  )
})
