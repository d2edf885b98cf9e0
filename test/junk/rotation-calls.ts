import * as rotations from '../../src/rotations.js'
import { type Call, rows } from './calls.js'

const { Moments, Rotation } = rotations

/** Every function of `packvec/rotations`. */
export function rotationCalls(): Call[] {
  const moments = Moments.from(rows)
  const rotation = Rotation.hadamard(3, { seed: 1 })
  const identity = Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1)
  const run = { onProgress: () => {}, signal: new AbortController().signal }
  const state = () => JSON.stringify([moments.rows, Array.from(moments.products())])
  const calls: Call[] = [
    { name: 'randomRotation', args: () => [3, { seed: 1 }], run: rotations.randomRotation },
    { name: 'svdRotation', args: () => [rows, { center: true, ...run }], run: rotations.svdRotation, throwsOwn: true },
    { name: 'svdRotation', args: () => [moments, { center: false }], run: rotations.svdRotation, throwsOwn: true },
    {
      name: 'svdRotationAsync',
      args: () => [rows, { center: true, ...run }],
      run: rotations.svdRotationAsync,
      throwsOwn: true,
    },
    {
      name: 'itqRotation',
      args: () => [rows, { seed: 1, iterations: 3, ...run }],
      run: rotations.itqRotation,
      throwsOwn: true,
    },
    {
      name: 'itqRotationAsync',
      args: () => [rows, { seed: 1, iterations: 3, ...run }],
      run: rotations.itqRotationAsync,
      throwsOwn: true,
    },
    { name: 'singularValues', args: () => [rows, { center: true }], run: rotations.singularValues },
    { name: 'eigenvalues', args: () => [rows, { center: true }], run: rotations.eigenvalues },
    { name: 'Moments.constructor', args: () => [3], run: (dims) => new Moments(dims) },
    { name: 'Moments.from', args: () => [rows], run: Moments.from },
    { name: 'Moments.fromTensors', args: () => [{ ...moments.toTensors() }], run: Moments.fromTensors },
    { name: 'Moments.add', args: () => [rows], run: (more) => moments.add(more), state },
    { name: 'Moments.merge', args: () => [moments], run: (other) => moments.merge(other), state },
    { name: 'Moments.products', args: () => [{ center: true }], run: (options) => moments.products(options), state },
    { name: 'Rotation.hadamard', args: () => [3, { seed: 1 }], run: Rotation.hadamard },
    {
      name: 'Rotation.fromMatrix',
      args: () => [identity, 3, 'svd', 1, { rank: 3, centre: new Float32Array(3) }],
      run: Rotation.fromMatrix,
    },
    { name: 'Rotation.fromTensors', args: () => [{ ...rotation.toTensors() }], run: Rotation.fromTensors },
    {
      name: 'Rotation.fromTensors',
      args: () => [{ kind: 'svd', dims: 3, matrix: identity }],
      run: Rotation.fromTensors,
    },
    { name: 'Rotation.apply', args: () => [rows], run: (more) => rotation.apply(more) },
    { name: 'Rotation.applyInverse', args: () => [rows], run: (more) => rotation.applyInverse(more) },
  ]
  return calls.map((call) => ({ ...call, name: `rotations ${call.name}` }))
}
