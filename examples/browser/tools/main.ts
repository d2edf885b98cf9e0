import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { buildDemo, MODEL } from './build.js'
import { serveFolder } from './serve.js'

const USAGE = 'npm run demo [-- --port N]    or    npm run demo:build [-- --out FOLDER --index URL]'

/** Kept when it is free, so that what a browser remembers of the page stays its own. */
const PORT = 8077

/** What the user has to change. */
class UsageError extends Error {}

async function main(): Promise<void> {
  const { command, out, indexUrl, port } = readArguments()
  const models = process.env['PACKVEC_MODELS'] || undefined
  if (models !== undefined && !existsSync(join(models, MODEL))) {
    throw new UsageError(`PACKVEC_MODELS must name a folder that holds ${MODEL}, got ${models}`)
  }
  const { model, index } = await buildDemo({ out, models, indexUrl })
  const [size, bits] = [(index.bytes / 1e6).toFixed(2), Math.round(index.bitBytes / 1e3)]
  console.log(`wrote ${out}: any static host serves it`)
  console.log(`  index  ${index.url}, ${size} MB, of which ${bits} KB of bits`)
  console.log(`  model  ${model.id}, ${model.hosted ? 'copied' : 'from huggingface.co (PACKVEC_MODELS copies it)'}`)
  if (command === 'build') return
  const { url } = await listen(out, port)
  console.log(`\nopen ${url} in a browser; Ctrl+C ends the server`)
}

function readArguments() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        out: { type: 'string', default: 'build/demo' },
        index: { type: 'string' },
        port: { type: 'string' },
      },
    })
    const [command] = positionals
    if (positionals.length !== 1 || (command !== 'build' && command !== 'serve'))
      throw new UsageError('unknown command')
    const port = values.port === undefined ? undefined : Number(values.port)
    if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port <= 65_535)) {
      throw new UsageError(`--port must be 0 to 65535, got ${values.port}`)
    }
    if (values.index !== undefined && !/^https?:\/\//.test(values.index)) {
      throw new UsageError(`--index must be a URL that begins with https://, got ${values.index}`)
    }
    return { command, out: values.out, indexUrl: values.index, port }
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n${USAGE}`)
  }
}

async function listen(folder: string, asked: number | undefined) {
  try {
    return await serveFolder(folder, asked ?? PORT)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    if (asked !== undefined) throw new UsageError(`port ${asked} is in use: give another one with --port`)
    return serveFolder(folder, 0)
  }
}

try {
  await main()
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  console.error(error.message)
  process.exitCode = 2
}
