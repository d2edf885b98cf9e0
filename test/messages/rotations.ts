import { itqRotation, Moments, Rotation, randomRotation, svdRotation } from '../../src/rotations.js'
import type { Provocation } from './recorder.js'
import { any } from './wrong.js'

const rows = [
  [0.5, -1],
  [-0.5, 1],
  [1, 0.5],
]
const identity = Float32Array.of(1, 0, 0, 1)
const moments = Moments.from(rows)

const saved = (change: object) => () => Moments.fromTensors({ ...moments.toTensors(), ...change })
const matrix = (values: unknown, facts: object = {}) => Rotation.fromMatrix(any(values), 2, 'svd', 0, facts)

export const rotationCalls: Provocation[] = [
  () => randomRotation(0),
  () => randomRotation(100_000),
  () => randomRotation(2, { seed: -1 }),
  () => Rotation.hadamard(100_000),
  () => svdRotation([]),
  () => svdRotation(rows, any({ centre: true })),
  () => itqRotation(rows, { iterations: -1 }),
  () => new Moments(100_000),
  () => new Moments(2).mean,
  () => Moments.from([[1, Number.NaN]]),
  () => Moments.from(rows).add([[1, 2, 3]]),
  () => Moments.from(rows).merge(any(rows)),
  () => Moments.from(rows).merge(new Moments(3)),
  saved({ rows: -1 }),
  saved({ sums: any([0, 0]) }),
  saved({ sums: Float64Array.of(0, Number.NaN) }),
  saved({ dims: 3 }),
  () => matrix([1, 0, 0, 1]),
  () => matrix(Float32Array.of(1, 0, 0, 2)),
  () => matrix(identity, { centre: any([1, 2]) }),
  () => matrix(identity, { centre: Float32Array.of(0, Number.NaN) }),
  () => matrix(identity, { rank: -1 }),
  () => Rotation.fromTensors(any({ kind: 'turn', dims: 2 })),
  () => Rotation.hadamard(2).apply([[1, 2, 3]]),
  () => Rotation.hadamard(2).apply([[3e38, 3e38]]),
]
