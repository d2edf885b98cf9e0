import { backend } from 'packvec'
import { byId } from './dom.js'
import { bytes } from './numbers.js'
import { adviseOn } from './trouble.js'

const bar = byId('load-bar', HTMLProgressElement)
const line = byId('load-text', HTMLElement)
const trouble = byId('trouble', HTMLElement)

/** The line below the title: what is loaded, what runs the search, whether the page opens offline. */
export class LoadStatus {
  #index = 'Loading the page’s texts…'
  #copy = ''
  #offline: 'later' | 'yes' | 'no' = 'later'

  loading(received: number, total: number): void {
    bar.value = total === 0 ? 0 : received / total
    this.#index = `Loading the index: ${bytes(received)} of ${bytes(total)}`
    this.#show()
  }

  ready(from: 'ranges' | 'copy', bitBytes: number): void {
    bar.value = 1
    const rest =
      from === 'ranges' ? 'int8 codes read by range from the server' : 'int8 codes read from a copy in this browser'
    this.#index = `Ready: ${bytes(bitBytes)} of bits in memory, ${rest}. ${kernels()}.`
    if (from === 'copy') this.#copy = 'copied'
    this.#show()
  }

  copying(received: number, total: number): void {
    this.#copy = `Copying the index for offline use: ${bytes(received)} of ${bytes(total)}.`
    this.#show()
  }

  noCopy(error: unknown): void {
    this.#copy = `No copy for offline use: ${adviseOn(error)}`
    this.#show()
  }

  /** Whether the page's own files are kept. */
  offline(kept: boolean): void {
    this.#offline = kept ? 'yes' : 'no'
    this.#show()
  }

  /** Nothing can be searched. */
  failed(error: unknown): void {
    bar.value = 0
    this.#index = 'Not loaded.'
    this.#show()
    trouble.textContent = adviseOn(error)
    trouble.hidden = false
  }

  #show(): void {
    const copied = this.#copy === 'copied'
    const offline = copied && this.#offline === 'yes' ? 'Works offline from now on.' : copied ? '' : this.#copy
    const text = [this.#index, offline].filter((part) => part !== '').join(' ')
    if (line.textContent !== text) line.textContent = text
  }
}

/** What runs the search, and what to do where it is the slow way. */
function kernels(): string {
  if (backend() === 'wasm') return 'WebAssembly SIMD searches'
  const missing = typeof WebAssembly === 'object' ? 'WebAssembly SIMD' : 'WebAssembly'
  return `This browser has no ${missing}, so plain TypeScript searches: the same results, slower. An up-to-date browser has it`
}
