// Forgets whatever holds an open file, in every way a program may, collects it, and then says that it is still there.
import { appendFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const [dist, folder] = process.argv.slice(2)
const { openIndex } = await import(join(dist, 'storage-node.js'))
const { buildIndex, IndexBuilder, writeFileAtomic } = await import(join(dist, 'node.js'))
const rows = (count) =>
  Array.from({ length: count }, (_, row) => Float32Array.from({ length: 16 }, (_, i) => Math.sin(row * 17 + i)))
const path = join(folder, 'corpus.safetensors')

await buildIndex(path, [rows(100)])

const ways = {
  async openIndex() {
    await openIndex(path)
  },
  async 'openIndex after a search'() {
    const index = await openIndex(path)
    await index.search(rows(3))
  },
  async 'an index that is opened again after CHANGED'() {
    let index = await openIndex(path, { cacheBytes: 0 })
    writeFileSync(path, new Uint8Array(10))
    await index.search(rows(1)[0]).catch(({ code }) => {
      if (code !== 'CHANGED') throw new Error(`expected CHANGED, got ${code}`)
    })
    await buildIndex(path, [rows(100)])
    index = await openIndex(path)
    await index.search(rows(1)[0])
  },
  async 'a generator of batches'() {
    const index = await openIndex(path)
    await index.searchBatches([rows(2), rows(2)]).next()
  },
  async IndexBuilder() {
    const builder = await IndexBuilder.open(join(folder, 'other.safetensors'))
    await builder.add(rows(10), { ids: Array.from({ length: 10 }, (_, i) => `row ${i}`) })
  },
  async 'a build whose batches never end'(turn) {
    buildIndex(
      join(folder, `third-${turn}.safetensors`),
      (async function* () {
        yield rows(10)
        await new Promise(() => {})
      })(),
    )
    await new Promise((resolve) => setTimeout(resolve, 20))
  },
  async 'a file whose chunks never end'(turn) {
    writeFileAtomic(
      join(folder, `fourth-${turn}`),
      (async function* () {
        yield new Uint8Array(10)
        await new Promise(() => {})
      })(),
    )
    await new Promise((resolve) => setTimeout(resolve, 20))
  },
}

const open = () => (process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0)
const before = open()
for (const [name, forget] of Object.entries(ways)) {
  for (let i = 0; i < 5; i++) await forget(i)
  let left = 0
  for (let turn = 0; turn < 50; turn++) {
    globalThis.gc()
    await new Promise((resolve) => setTimeout(resolve, 2))
    left = open() - before
    if (turn > 5 && left === 0) break
  }
  appendFileSync(1, `${name}: ${left} left open\n`)
}
console.log('still there')
