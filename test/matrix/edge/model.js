import { WorkerEntrypoint } from 'cloudflare:workers'

/** Answers as Workers AI answers the call that its documentation shows. */
export default class extends WorkerEntrypoint {
  run(model, { text, pooling, ...rest }) {
    if (model !== '@cf/baai/bge-small-en-v1.5') throw new Error(`there is no model ${model}`)
    if (typeof text !== 'string' || pooling !== 'cls' || Object.keys(rest).length > 0) throw new Error('wrong input')
    const data = [this.env.EMBEDDING]
    return { shape: [1, data[0].length], data, pooling }
  }
}
