export { bucket, bucketTruncate } from './bucket'
export { levels2, levels4 } from './levels'
export { packBits } from './pack'
export { firstNonFinite, minMax } from './range'
