/** What the pages use of transformers.js, without a model, which the test does not have: made-up embeddings as a Tensor. */
export async function pipeline() {
  return async (texts) => {
    const dims = [texts.length, 384]
    return { data: Float32Array.from({ length: dims[0] * dims[1] }, (_, i) => Math.sin(i)), dims }
  }
}
