/** A file of this site that did not come, or not whole. */
export class DownloadError extends Error {
  override readonly name = 'DownloadError'
  /** Whether nobody answered; otherwise it is the file that is wrong. */
  readonly unreachable: boolean

  constructor(file: string, reason: string, unreachable = false, options?: ErrorOptions) {
    super(`${file}: ${reason}`, options)
    this.unreachable = unreachable
  }
}

/** A whole file, with the bytes so far. @throws DownloadError: no connection, an answer such as 404, an empty or cut file */
export async function fetchBytes(url: string, onBytes: (bytes: number) => void = () => {}): Promise<ArrayBuffer> {
  const pieces: Uint8Array<ArrayBuffer>[] = []
  let received = 0
  try {
    const response = await fetch(url)
    if (!response.ok) throw new DownloadError(url, `the server answered ${response.status}`)
    const reader = response.body!.getReader()
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      pieces.push(next.value)
      received += next.value.length
      onBytes(received)
    }
  } catch (cause) {
    if (cause instanceof DownloadError) throw cause
    throw new DownloadError(url, 'the connection failed', true, { cause })
  }
  if (received === 0) throw new DownloadError(url, 'the file is empty')
  return new Blob(pieces).arrayBuffer()
}

export async function fetchJson<T>(url: string): Promise<T> {
  const text = new TextDecoder().decode(await fetchBytes(url))
  try {
    return JSON.parse(text) as T
  } catch (cause) {
    throw new DownloadError(url, 'the file is no JSON', false, { cause })
  }
}

/** Rows of float32 as they lie in a file. @throws DownloadError where the length is another */
export async function fetchRows(
  url: string,
  rows: number,
  dims: number,
  onBytes?: (bytes: number) => void,
): Promise<Float32Array<ArrayBuffer>> {
  const buffer = await fetchBytes(url, onBytes)
  const expected = 4 * rows * dims
  if (buffer.byteLength === expected) return new Float32Array(buffer)
  throw new DownloadError(
    url,
    `the file has ${buffer.byteLength} bytes, ${rows} rows of ${dims} floats have ${expected}`,
  )
}
