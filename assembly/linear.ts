// The kernels of linear algebra. `src/kernels/linear-kernels.ts` says what each promises.

// recordSweeps: QL sweeps on a tridiagonal matrix, recorded.
export { recordSweeps } from './eigen'

// addMoments: adds rows to their second moments and column sums.
export { addMoments } from './moments'

// multiplyF64: a product of float64 matrices.
export { multiplyF64 } from './multiply'

// accumulateReflectors: turns reflectors into the matrix that they make.
export { accumulateReflectors } from './reflectors'

// applySweeps: applies recorded sweeps to the columns of a matrix.
export { applySweeps } from './sweeps'

// tridiagonalise: the Householder reduction of a symmetric matrix.
export { tridiagonalise } from './tridiagonal'
