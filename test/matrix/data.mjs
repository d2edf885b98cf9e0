// The data of the scenario: some of the example embeddings.
import { readFile } from 'node:fs/promises'

const DIMS = 384
/** Fewer rows than dimensions would leave the SVD with many equal singular values, whose vectors are arbitrary. */
const CORPUS_ROWS = 480
const QUERY_ROWS = 6

/** Rows at even distances of a float32 `.npy` file of the examples. */
export async function scenarioData() {
  return {
    corpus: await rowsOf('banking77_train.npy', CORPUS_ROWS),
    queries: await rowsOf('banking77_test.npy', QUERY_ROWS),
  }
}

/** The same as a module that needs no file. */
export async function dataModule() {
  const { corpus, queries } = await scenarioData()
  const text = ({ data }) => JSON.stringify(Buffer.from(data.buffer).toString('base64'))
  return `
    function matrix(text) {
      const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0))
      const data = new Float32Array(bytes.buffer)
      return { data, dims: [data.length / ${DIMS}, ${DIMS}] }
    }
    export const data = { corpus: matrix(${text(corpus)}), queries: matrix(${text(queries)}) }
  `
}

async function rowsOf(name, count) {
  const file = await readFile(new URL(`../../examples/data/${name}`, import.meta.url))
  const start = 10 + file.readUInt16LE(8)
  const rows = (file.length - start) / (4 * DIMS)
  const data = new Float32Array(count * DIMS)
  for (let i = 0; i < count; i++) {
    const at = start + Math.floor((i * rows) / count) * 4 * DIMS
    for (let d = 0; d < DIMS; d++) data[i * DIMS + d] = file.readFloatLE(at + 4 * d)
  }
  return { data, dims: [count, DIMS] }
}
