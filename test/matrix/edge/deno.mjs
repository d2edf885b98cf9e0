// The example fetch handler under `deno serve`, with the permissions that its page names.
import { spawn } from 'node:child_process'
import { toolBin } from '../tools.mjs'

/** @param index what the environment variable INDEX says: a path or a URL */
export async function serveInDeno({ folder }, index) {
  const flags = ['--no-prompt', '--no-remote', '--allow-net', '--allow-read', '--allow-env', '--host', '127.0.0.1']
  const args = ['serve', ...flags, '--port', '0', 'fetch-handler/search.ts']
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, INDEX: index, NO_COLOR: '1' }
  const child = spawn(await toolBin('deno', 'deno'), args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = new Promise((resolve) => child.once('close', resolve))
  const stop = async () => {
    child.kill()
    await ended
  }
  try {
    const url = await listening(child)
    return { fetch: (path, init) => fetch(new URL(path, url), { signal: AbortSignal.timeout(20_000), ...init }), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function listening(child) {
  let said = ''
  return new Promise((resolve, reject) => {
    const fail = (why) => reject(new Error(`deno serve ${why}: ${said.slice(-2000)}`))
    const timer = setTimeout(() => fail('did not start'), 30_000)
    const hear = (text) => {
      said += text
      const url = /http:\/\/[\d.]+:\d+\//.exec(said)?.[0]
      if (url === undefined) return
      clearTimeout(timer)
      resolve(url)
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    child.once('error', (error) => fail(error.message))
    child.once('exit', (code) => fail(`ended with ${code}`))
  })
}
