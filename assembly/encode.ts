// The kernels that encode: rows of float32 in, codes out. `src/kernels/encode-kernels.ts` says what each promises.

// bucket: 8-bit codes by buckets, rounded down.
// bucketTruncate: the same cut towards zero, as sentence-transformers did up to 5.6.
export { bucket, bucketTruncate } from './bucket'

// levels2: 2-bit codes, how many thresholds a value lies above.
// levels4: 4-bit codes, the nearest of 16 levels.
export { levels2, levels4 } from './levels'

// packBits: 1-bit codes, whether a value is above 0.
export { packBits } from './pack'

// firstNonFinite: position of the first NaN or infinity.
// minMax: the least and the greatest value of each dimension.
export { firstNonFinite, minMax } from './range'
