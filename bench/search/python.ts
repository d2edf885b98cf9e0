import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { decodeNpy, encodeNpy, type NpyArray, type NpyData } from '../../src/formats/npy.js'

interface Answer {
  readonly error?: string
}

/** A Python process that answers one request a line; arrays go through files of a folder of its own. */
export class PythonProcess {
  readonly #child: ChildProcess
  readonly #folder = mkdtempSync(join(tmpdir(), 'packvec-bench-'))
  readonly #waiting: { resolve: (line: string) => void; reject: (error: Error) => void }[] = []
  versions: Readonly<Record<string, string>> = {}

  private constructor(interpreter: string, script: string) {
    this.#child = spawn(interpreter, ['-u', script, this.#folder], { stdio: ['pipe', 'pipe', 'inherit'] })
    createInterface({ input: this.#child.stdout! }).on('line', (line) => this.#waiting.shift()?.resolve(line))
    const fail = (error: Error) => {
      for (const { reject } of this.#waiting.splice(0)) reject(error)
    }
    this.#child.on('error', fail)
    this.#child.on('exit', (code) => fail(new Error(`the Python process ended with code ${code}`)))
  }

  /** Starts `script` and asks for its versions. */
  static async open(interpreter: string, script: string): Promise<PythonProcess> {
    const python = new PythonProcess(interpreter, script)
    python.versions = await python.ask<Record<string, string>>('versions')
    return python
  }

  async ask<T>(op: string, request: Readonly<Record<string, unknown>> = {}): Promise<T> {
    const line = await new Promise<string>((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#child.stdin!.write(`${JSON.stringify({ op, ...request })}\n`)
    })
    const answer = JSON.parse(line) as T & Answer
    if (answer.error !== undefined) throw new Error(`python, ${op}: ${answer.error}`)
    return answer
  }

  write(name: string, data: NpyData, dims: readonly number[]): void {
    writeFileSync(join(this.#folder, name), encodeNpy(data, dims))
  }

  read(name: string): NpyArray {
    return decodeNpy(readFileSync(join(this.#folder, name)))
  }

  /** Opens a matrix of float32 to be written chunk by chunk. */
  writeChunks(name: string, rows: number, dims: number): { append(chunk: Float32Array): void; close(): void } {
    const file = openSync(join(this.#folder, name), 'w')
    const shape = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${dims}), }`
    const head = Buffer.from(`\x93NUMPY\x01\x00\x00\x00${shape.padEnd(117)}\n`, 'latin1')
    head.writeUInt16LE(118, 8)
    writeSync(file, head)
    return {
      append: (chunk) => void writeSync(file, new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength)),
      close: () => closeSync(file),
    }
  }

  remove(name: string): void {
    rmSync(join(this.#folder, name), { force: true })
  }

  close(): void {
    this.#child.stdin?.end()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
