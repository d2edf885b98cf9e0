// What the kernel of the system says of workerd (Linux).
import { readdir, readFile } from 'node:fs/promises'
import { Skip } from '../tools.mjs'

/** The process of workerd that this one started. @throws Skip where there is no /proc */
export async function findWorkerd() {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name))
  for (const pid of pids) {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
    const [, name, parent] = /^\d+ \((.*)\) \S (\d+)/.exec(stat) ?? []
    if (name === 'workerd' && Number(parent) === process.pid) return pid
  }
  throw new Skip('there is no /proc that shows workerd')
}

/** Bytes in memory now and at the most. */
export async function memoryOf(pid) {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  const bytes = (field) => 1024 * Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)[1])
  return { now: bytes('VmRSS'), peak: bytes('VmHWM') }
}

/** Milliseconds that all threads have run. */
export async function cpuOf(pid) {
  const tasks = await readdir(`/proc/${pid}/task`)
  const texts = await Promise.all(tasks.map((task) => readFile(`/proc/${pid}/task/${task}/schedstat`, 'utf8')))
  return texts.reduce((sum, text) => sum + Number(text.split(' ')[0]), 0) / 1e6
}
