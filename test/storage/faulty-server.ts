import type { ServerResponse } from 'node:http'
import { type Asked, type Behaviour, FileServer } from './server.js'

/** What a server may do to an answer, with how often it does, in a thousand. */
const FAULTS: readonly (readonly [perMille: number, name: string, fault: Fault])[] = [
  [40, 'is busy', (_, response) => void response.writeHead(503, { 'Retry-After': '0' }).end('busy')],
  [10, 'has enough', (_, response) => void response.writeHead(429).end()],
  [30, 'hangs up at once', (_, response) => void response.destroy()],
  [
    30,
    'hangs up half-way',
    ({ first, end }, response, server) => {
      response.writeHead(206, server.partHeaders({ first, end } as Asked))
      response.write(server.content.subarray(first, first + ((end - first) >> 1)), () => response.destroy())
    },
  ],
  [
    10,
    'answers with a wrong byte',
    (asked, response, server) => {
      const part = server.content.slice(asked.first, asked.end)
      part[part.length >> 1]! ^= 4
      response.writeHead(206, server.partHeaders(asked)).end(part)
    },
  ],
  [
    10,
    'answers with another range',
    (asked, response, server) => {
      const other = { ...asked, first: Math.max(0, asked.first - 8), end: asked.end - 8 }
      response.writeHead(206, server.partHeaders(other)).end(server.content.subarray(other.first, other.end))
    },
  ],
  [10, 'has lost the file', (_, response) => void response.writeHead(404).end('<html>not here</html>')],
  [
    60,
    'is slow',
    async (asked, response, server) => {
      await new Promise((resolve) => setTimeout(resolve, 30))
      response.writeHead(206, server.partHeaders(asked)).end(server.content.subarray(asked.first, asked.end))
    },
  ],
]

type Fault = (asked: Asked, response: ServerResponse, server: FileServer) => void | Promise<void>

/** A server that does something else than it was asked for, every now and then. */
export function faultyServer(
  content: Uint8Array,
  random: () => number,
): { server: FileServer; counts: Map<string, number> } {
  const server = new FileServer(content)
  const counts = new Map<string, number>()
  const behaviour: Behaviour = async (asked, response) => {
    server.asked.length = 0
    if (asked.range === undefined) return false
    let left = 1000 * random()
    for (const [perMille, name, fault] of FAULTS) {
      left -= perMille
      if (left >= 0) continue
      counts.set(name, (counts.get(name) ?? 0) + 1)
      await fault(asked, response, server)
      return true
    }
    return false
  }
  server.behaviour = behaviour
  return { server, counts }
}
