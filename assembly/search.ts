// The kernels that search, and those that rotate. `src/kernels/search-kernels.ts` and `rotate-kernels.ts` say what each promises.

// selectBest: the best among pairs of an id and a score.
export { selectBest } from './best'

// dotF32TopK: scans float32 rows for the largest dot products.
// dotI8TopK: scans int8 codes for the largest dot products with an int16 query.
// dotPairsTopK: scans 2-bit codes for the largest dot products with a query of such codes.
// dotU8TopK: scans uint8 codes for the largest dot products with an int16 query.
export { dotF32TopK, dotI8TopK, dotPairsTopK, dotU8TopK } from './dot'

// hadamardRows: rotates rows in place by signs and a Walsh-Hadamard matrix.
export { hadamardRows } from './hadamard'

// hammingTopK: scans bits for the least Hamming distances, 64 bits at a time.
// hammingTopKLanes: the same in 16 lanes of 8 bits, for Arm.
export { hammingTopK, hammingTopKLanes } from './hamming'

// rotateRows: rotates rows by a matrix.
export { rotateRows } from './rotate'

// dotF32Rows: scores some float32 rows, named by number.
// dotI8Rows: scores some rows of int8 codes for a float32 query.
// dotU8Rows: scores some rows of uint8 codes for a float32 query.
export { dotF32Rows, dotI8Rows, dotU8Rows } from './rows'

// scanTableTopK: scans codes below 8 bits for the largest sums of look-ups in tables rounded to uint8.
export { scanTableTopK } from './table-scan'

// dotNibblesRows: scores some rows of codes below 8 bits by a float32 look-up per nibble.
// dotTableRows: the same by a look-up per byte, in the table that expandTable made.
// expandTable: adds the tables of two nibbles up to a table of their byte.
export { dotNibblesRows, dotTableRows, expandTable } from './tables'
