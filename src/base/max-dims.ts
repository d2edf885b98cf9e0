/** Hamming distances of a tile are uint16, so a row has at most 65,535 bits. */
export const MAX_DIMS = 65_535
