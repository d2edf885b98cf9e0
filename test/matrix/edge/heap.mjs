// What an isolate holds, by the inspector of workerd.
import { createRequire } from 'node:module'
import { toolFile } from '../tools.mjs'

/**
 * Opens the isolate of the example: `size` gives the bytes of its heap and of its array buffers, as they are, garbage
 * included. The memories of wasm are not among them.
 */
export async function openHeap(worker) {
  const { WebSocket } = createRequire(import.meta.url)(await toolFile('wrangler', 'ws'))
  const inspector = String(await worker.inspector()).replace('ws:', 'http:')
  const targets = await (await fetch(new URL('/json', inspector))).json()
  const { webSocketDebuggerUrl } = targets.find(({ id }) => id.endsWith(':example'))
  const socket = new WebSocket(webSocketDebuggerUrl)
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
  let last = 0
  const size = () => {
    const id = ++last
    return new Promise((resolve) => {
      const hear = (message) => {
        const answer = JSON.parse(message)
        if (answer.id !== id) return
        socket.off('message', hear)
        const { totalSize, embedderHeapUsedSize, backingStorageSize } = answer.result
        resolve(totalSize + embedderHeapUsedSize + backingStorageSize)
      }
      socket.on('message', hear)
      socket.send(JSON.stringify({ id, method: 'Runtime.getHeapUsage' }))
    })
  }
  return { size, close: () => socket.close() }
}
