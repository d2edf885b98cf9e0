import { createHash } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { hostname, networkInterfaces } from 'node:os'

/** A process as files under way name it: on which machine it runs, and which of the processes with its number it is. */
export interface ProcessIdentity {
  /** 24 hex digits: 8 each for the machine, for its start, and for the namespace in which `pid` counts. */
  readonly host: string
  readonly pid: number
  /** When the process began, in ticks since the machine did; '0' where the system does not say. */
  readonly start: string
}

/** File systems that only one running machine can have mounted, by the magic numbers of Linux. */
const LOCAL_FILE_SYSTEMS: ReadonlySet<number> = new Set([
  ...[0xef53, 0x5846_5342, 0x9123_683e, 0x0102_1994, 0x8584_58f6, 0x794c_7630, 0x2fc1_2fc1, 0xf2f5_2010],
])

let own: ProcessIdentity | undefined

/** The identity of this process. */
export function ownIdentity(): ProcessIdentity {
  own ??= { host: hostKey(), pid: process.pid, start: startOf('self') ?? '0' }
  return own
}

/**
 * Whether a process still runs. 'unknown' where it counts its processes elsewhere: on another machine, though that may have
 * the same name, or in another container.
 * @param folder where its files lie: what only this machine can have mounted, no process outlives its restart on
 */
export async function lifeOf(other: ProcessIdentity, folder: string): Promise<'alive' | 'dead' | 'unknown'> {
  const { host, pid, start } = ownIdentity()
  if (other.host !== host) {
    const restarted = part(other.host, 0) === part(host, 0) && part(other.host, 2) === part(host, 2)
    return restarted && (await isLocal(folder)) ? 'dead' : 'unknown'
  }
  // A later process with the number of a dead one began at another time.
  if (other.pid === pid) return other.start === start ? 'alive' : 'dead'
  try {
    process.kill(other.pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return 'dead'
  }
  const now = startOf(other.pid)
  if (now === ENDED) return 'dead'
  return now === undefined || other.start === '0' || now === other.start ? 'alive' : 'dead'
}

async function isLocal(folder: string): Promise<boolean> {
  const type = await statfs(folder).then(
    (stats) => stats.type,
    () => undefined,
  )
  return type !== undefined && LOCAL_FILE_SYSTEMS.has(type)
}

/** What stands for the start of a process that has ended and that its parent has not looked after yet. */
const ENDED = 'ended'

function startOf(pid: number | 'self'): string | undefined {
  try {
    // Where /proc is that of another namespace, the numbers in it are those of other processes.
    if (readlinkSync('/proc/self') !== String(process.pid)) return undefined
    // The name of the program comes second, in brackets, and may hold anything.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
    return fields[0] === 'Z' || fields[0] === 'X' ? ENDED : fields[19]
  } catch {
    return undefined
  }
}

/** Machines may share a name, and containers a machine: the parts that tell them apart, as far as the system has them. */
function hostKey(): string {
  const machine = read('/etc/machine-id') || Object.values(networkInterfaces()).flatMap(hardwareAddresses).sort().join()
  return [
    `${hostname()} ${machine}`,
    read('/proc/sys/kernel/random/boot_id'),
    attempt(() => readlinkSync('/proc/self/ns/pid')),
  ]
    .map((text) => createHash('sha256').update(text).digest('hex').slice(0, 8))
    .join('')
}

function hardwareAddresses(interfaces: ReturnType<typeof networkInterfaces>[string]): string[] {
  const addresses = (interfaces ?? []).filter(({ internal }) => !internal).map(({ mac }) => mac)
  // Addresses that software made up (second bit of the first byte) come and go.
  return addresses.filter((mac) => (Number.parseInt(mac.slice(0, 2), 16) & 2) === 0 && /[1-9a-f]/.test(mac))
}

function part(host: string, index: 0 | 1 | 2): string {
  return host.slice(8 * index, 8 * (index + 1))
}

function read(path: string): string {
  return attempt(() => readFileSync(path, 'utf8').trim())
}

function attempt(run: () => string): string {
  try {
    return run()
  } catch {
    return ''
  }
}
