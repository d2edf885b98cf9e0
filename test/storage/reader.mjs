// Opens and searches a file again and again until a stop file appears; prints the ids of each answer.
import { existsSync } from 'node:fs'

const [dist, path, stop, query] = process.argv.slice(2)
const { openIndex } = await import(dist)
for (let turn = 0; ; turn++) {
  const index = await openIndex(path, { cacheBytes: 0 })
  for (let i = 0; i < 5; i++) console.log((await index.search(JSON.parse(query))).ids.join())
  await index.close()
  if (turn === 0) process.send('ready')
  if (existsSync(stop)) break
}
process.disconnect()
