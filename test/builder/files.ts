import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { halfBits } from '../../src/base/half.js'
import { encodeNpy, npyHeaderOf } from '../../src/formats/npy.js'
import { unitRows } from '../random.js'

export interface Rows {
  readonly data: Float32Array<ArrayBuffer>
  readonly dims: [rows: number, dims: number]
}

export function rowsOf(rows: number, dims: number, seed: number): Rows {
  return { data: unitRows(rows, dims, seed), dims: [rows, dims] }
}

export function slice({ data, dims: [, dims] }: Rows, first: number, end: number): Rows {
  return { data: data.slice(first * dims, end * dims), dims: [end - first, dims] }
}

/** A folder for one test file; `list` shows what it holds, hidden files too. */
export class Folder {
  readonly path = mkdtempSync(join(tmpdir(), 'packvec-builder-'))

  at(name: string): string {
    return join(this.path, name)
  }

  list(): string[] {
    return readdirSync(this.path).sort()
  }

  bytes(name: string): Uint8Array {
    return new Uint8Array(readFileSync(this.at(name)))
  }

  write(name: string, bytes: Uint8Array | string): string {
    writeFileSync(this.at(name), bytes)
    return this.at(name)
  }

  delete(name: string): void {
    rmSync(this.at(name))
  }

  npy(name: string, { data, dims }: Rows): string {
    return this.write(name, encodeNpy(data, dims))
  }

  npyHalf(name: string, { data, dims }: Rows): string {
    return this.write(name, Buffer.concat([npyHeaderOf('<f2', dims), halves(data)]))
  }

  remove(): void {
    rmSync(this.path, { recursive: true })
  }
}

function halves(data: Float32Array): Uint8Array {
  return new Uint8Array(Uint16Array.from(data, halfBits).buffer)
}

/** The error an asynchronous call ends with. */
export async function rejectionOf(promise: Promise<unknown>): Promise<{ name: string; code: string; message: string }> {
  try {
    await promise
  } catch (error) {
    return error as { name: string; code: string; message: string }
  }
  throw new Error('expected the promise to be rejected')
}
