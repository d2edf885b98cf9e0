import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { spectrum } from '../../src/eval.js'
import { decodeNpy } from '../../src/formats/npy.js'
import { thrownBy } from '../random.js'
import { classRows } from './setup.js'

const shared = new URL('../../../shared/', import.meta.url)

/** 40 x 7, the fifth dimension a thousandth of the others. */
function thinned() {
  const { data, dims } = classRows(40, 7, 3, 5)
  return { data: data.map((value, i) => (i % 7 === 4 ? Math.fround(value * 1e-3) : value)), dims }
}

describe('spectrum', () => {
  it('has the singular values, energy and effective rank of numpy', () => {
    const { singularValues, cumulativeEnergy, dimsForEnergy, effectiveRank, rank } = spectrum(thinned())
    const expected = [
      ...[3.0519550159881867, 2.953170846974522, 2.1304365711230915, 1.7999117823862536],
      ...[1.4768191399341812, 1.3592112075265579, 0.0020580673294919973],
    ]
    for (const [i, value] of expected.entries()) expect(singularValues[i]! / value, `value ${i}`).toBeCloseTo(1, 6)
    expect(dimsForEnergy).toEqual({ 90: 5, 95: 6, 99: 6 })
    expect(effectiveRank).toBeCloseTo(5.022070892217682, 6)
    expect(cumulativeEnergy.at(-1)).toBe(1)
    expect(rank).toBe(7)
  })

  it('fits the decay as scipy does, exponential and power', () => {
    const { exponential, power } = spectrum(thinned()).decay!
    expect(exponential.rate).toBeCloseTo(0.8508463255804187, 6)
    expect(exponential.start).toBeCloseTo(22.767149107489463, 4)
    expect(exponential.rSquared).toBeCloseTo(0.49072956135232154, 6)
    expect(power.rate).toBeCloseTo(2.1654079076588415, 6)
    expect(power.rSquared).toBeCloseTo(0.3194198749027284, 6)
  })

  it('of fewer rows than dims has the rank of the rows', () => {
    const { rank, singularValues, dims } = spectrum(classRows(3, 9, 2, 1))
    expect({ rank, dims, length: singularValues.length }).toEqual({ rank: 3, dims: 9, length: 9 })
  })

  it('of constant rows has rank 1 and no decay', () => {
    const { rank, decay, effectiveRank } = spectrum({ data: new Float32Array(50).fill(0.25), dims: [10, 5] })
    expect({ rank, decay }).toEqual({ rank: 1, decay: undefined })
    expect(effectiveRank).toBeCloseTo(1, 6)
  })

  it('of zeros, and of NaN, is refused by name', () => {
    const zeros = { data: new Float32Array(6), dims: [3, 2] }
    expect(thrownBy(() => spectrum(zeros))).toMatchObject({ code: 'INVALID_ARGUMENT', argument: 'embeddings' })
    const holed = { data: Float32Array.of(1, 2, Number.NaN, 4), dims: [2, 2] }
    expect(thrownBy(() => spectrum(holed)).message).toBe('embeddings must be finite, got NaN at row 1, dimension 0')
  })

  const numpy = new URL('oracles/techniques/singular_values_nq_dev.npy', shared)
  it.skipIf(!existsSync(numpy))('of Natural Questions agrees with numpy to a millionth, the last one is zero', () => {
    const expected = decodeNpy(readFileSync(numpy)).data
    const { data, dims } = decodeNpy(readFileSync(new URL('data/minilm/nq_dev.npy', shared)))
    const { singularValues, dimsForEnergy } = spectrum({ data, dims })
    for (const [i, value] of singularValues.entries()) {
      expect(Math.abs(value - expected[i]!), `value ${i}`).toBeLessThanOrEqual(1e-6 * expected[i]! + 1e-12)
    }
    expect(dimsForEnergy).toEqual({ 90: 190, 95: 232, 99: 306 })
  })
})
