import type { Stats } from 'node:fs'
import { access, constants, lstat, readlink, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { PackvecError } from '../base/errors.js'
import { io, notAFile } from './file.js'

/** How many links in a row are followed: as many as Linux follows. */
const MOST_LINKS = 40

/** The real place of a file, and the file that is there already. */
export interface Target {
  /** The real path, after every symbolic link, even one that leads nowhere yet. */
  readonly path: string
  /** Undefined if there is no file yet. */
  readonly stats: Stats | undefined
}

/** Finds the real place of a file, and checks that it may be written. @throws PackvecError `IO` */
export async function resolveTarget(path: string): Promise<Target> {
  const target = await realTarget(path)
  const stats = await io('write', path, () => existing(stat(target)))
  if (stats === undefined) return { path: target, stats }
  // Renaming over a device such as /dev/null would replace the device.
  if (!stats.isFile()) throw notAFile('write', path, stats.isDirectory())
  await io('write', path, () => access(target, constants.W_OK))
  return { path: target, stats }
}

/**
 * The real path of a file that need not exist. A link that leads nowhere is followed: it stands for the file that will be written
 * there.
 * @throws PackvecError `IO` if its folder does not exist
 */
export async function realTarget(path: string): Promise<string> {
  let place = resolve(path)
  for (let links = 0; links < MOST_LINKS; links++) {
    const at = place
    const folder = await io('write', path, () => realpath(dirname(at)))
    place = join(folder, basename(at))
    const found = await io('write', path, () => existing(lstat(place)))
    if (found === undefined) return place
    // Where names differ in case only, this is the one that the folder has.
    if (!found.isSymbolicLink()) return io('write', path, () => realpath(place))
    place = resolve(folder, await io('write', path, () => readlink(place)))
  }
  throw new PackvecError('IO', 'path', `cannot write ${path}: it leads through more than ${MOST_LINKS} symbolic links`)
}

/**
 * Refuses an output that is one of the files it is made from, by any path or link: it would replace them.
 * @param inputs what the caller calls each input, and its path
 * @throws PackvecError `INVALID_ARGUMENT`
 */
export async function refuseInputs(
  output: string,
  inputs: readonly (readonly [name: string, path: string | undefined])[],
  argument = 'path',
): Promise<void> {
  const [own, real] = await Promise.all([identityOf(output), realOf(output)])
  for (const [name, path] of inputs) {
    if (typeof path !== 'string') continue
    const same = own === undefined ? (await realOf(path)) === real : (await identityOf(path)) === own
    if (!same || real === undefined) continue
    const which = path === output ? output : `${output} and ${path} are the same file`
    const message = `${argument} must not be the ${name}, which would be replaced: ${which}; choose another output`
    throw new PackvecError('INVALID_ARGUMENT', argument, message)
  }
}

/** The same for hard links; undefined if there is no file, or the system does not tell. */
async function identityOf(path: string): Promise<string | undefined> {
  const stats = await stat(path, { bigint: true }).catch(() => undefined)
  return stats === undefined || stats.ino === 0n ? undefined : `${stats.dev} ${stats.ino}`
}

async function realOf(path: string): Promise<string | undefined> {
  return realTarget(path).catch(() => undefined)
}

async function existing<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
