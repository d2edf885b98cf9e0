// A process of its own that changes an index: writer.mjs <index> <number of the process> <change...>
import { writeSync } from 'node:fs'
import { appendToIndex, compactIndex, deleteFromIndex, verifyIndex } from '../../dist/node.js'

const [path, number, ...changes] = process.argv.slice(2)
const row = Float32Array.from({ length: 24 }, (_, i) => Math.sin(i + Number(number)))
const hasIds = changes.includes('delete')

/** Says it at once: the process may be killed by whoever reads it. */
const say = (line) => writeSync(1, `${line}\n`)

const run = {
  append: (i) => appendToIndex(path, row, hasIds ? { ids: [`p${number}-${i}`] } : {}),
  delete: (i) => deleteFromIndex(path, [`d${10 * Number(number) + i}`]),
  compact: () => compactIndex(path),
  // Stands still once rows are copied, which is done under the lock; not for ever, should nobody kill it.
  hold: () =>
    appendToIndex(path, row, {
      onProgress: ({ phase }) => {
        if (phase !== 'copy') return
        say('held')
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 120_000)
      },
    }),
}

for (const [i, change] of changes.entries()) {
  await run[change](i)
  say('changed')
}
await verifyIndex(path)
say(`done ${changes.length}`)
