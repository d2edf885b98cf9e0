// A process of its own that changes an index in seeded steps until it is killed: editor.mjs <index> <seed> <first number>
import { writeSync } from 'node:fs'
import { appendToIndex, compactIndex, deleteFromIndex } from '../../dist/node.js'

const [path, seed, first] = process.argv.slice(2)
let state = Number(seed) >>> 0
let number = Number(first)
/** Ids that are there, which this process was told of in a line of JSON. */
const live = JSON.parse(process.env['LIVE_IDS'])

function below(count) {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
  return Math.floor((state / 2 ** 32) * count)
}

/** Says it at once: the process may be killed by whoever reads it. */
const say = (line) => writeSync(1, `${JSON.stringify(line)}\n`)
/** The vector of an id, of length 1. */
const rowOf = (id) => {
  let state = Math.imul(Number(id.slice(1)) + 1, 0x9e37_79b1)
  const row = Float32Array.from({ length: 24 }, (_, d) => {
    state = Math.imul(state ^ (state >>> 15), 0x85eb_ca6b) + d
    return (state >>> 0) / 2 ** 31 - 1
  })
  return row.map((value) => value / Math.hypot(...row))
}

for (;;) {
  const kind = below(5)
  if (kind === 4) {
    say({ begun: 'compact' })
    await compactIndex(path)
  } else if (kind === 3 && live.length > 20) {
    const ids = live.splice(below(live.length - 10), 1 + below(8))
    say({ begun: 'delete', ids })
    await deleteFromIndex(path, ids)
  } else {
    const ids = Array.from({ length: 1 + below(30) }, () => `n${number++}`)
    say({ begun: 'append', ids })
    await appendToIndex(path, ids.map(rowOf), { ids })
    live.push(...ids)
  }
  say({ done: true })
}
