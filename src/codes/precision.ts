/**
 * The element type of each precision's codes. Its keys are the precisions: those of sentence-transformers' `quantize_embeddings`,
 * and the codes of 2 and 4 bits.
 */
export interface CodeArrays {
  float32: Float32Array<ArrayBuffer>
  int8: Int8Array<ArrayBuffer>
  uint8: Uint8Array<ArrayBuffer>
  int4: Uint8Array<ArrayBuffer>
  quaternary: Uint8Array<ArrayBuffer>
  ternary: Uint8Array<ArrayBuffer>
  binary: Int8Array<ArrayBuffer>
  ubinary: Uint8Array<ArrayBuffer>
}

/** The precisions of sentence-transformers' `quantize_embeddings`, and the codes of 2 and 4 bits. */
export type Precision = keyof CodeArrays
