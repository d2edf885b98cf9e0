import { execFile } from 'node:child_process'

const LIMIT_MS = 180_000

/**
 * Runs a command and returns its standard output; nothing can hang. The environment is the caller's without what npm and the
 * test runner put there.
 * @throws Error with the end of what the command wrote
 */
export function run(command, args, { cwd, env = {}, timeout = LIMIT_MS } = {}) {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(npm_|NODE_OPTIONS$|NODE_ENV$|VITEST)/i.test(name),
  )
  return new Promise((resolve, reject) => {
    const options = { cwd, env: { ...Object.fromEntries(inherited), ...env }, timeout, maxBuffer: 1 << 26 }
    const child = execFile(command, args, options, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout)
      const why = error.killed ? `ran longer than ${timeout / 1000} s` : `ended with ${error.code ?? error.signal}`
      reject(new Error(`${command} ${args.join(' ')} ${why}\n${`${stdout}${stderr}`.slice(-4000)}`))
    })
    child.stdin.end()
  })
}
