/** Bytes that suffice to recognise the kind of a file. */
export const KIND_BYTES = 512

/** A kind of file: its name, the remedy, and its first bytes. */
interface Kind {
  readonly name: string
  readonly remedy: string
  /** Bytes at the beginning, or at `at`. */
  readonly magic: readonly number[] | string
  readonly at?: number
}

const UNPACK = 'unpack it first'
const SAVE = 'save the embeddings as .npy first'
const PAGE = 'a server probably answered with a page instead, so check the address, or sign in'

/** The longest magic of a kind of file first where one begins like another. */
const KINDS: readonly Kind[] = [
  {
    name: 'a .npy array',
    remedy: 'read it with readNpy, or the commands for .npy files',
    magic: [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59],
  },
  { name: 'a zip archive', remedy: `${UNPACK}; an .npz is a zip archive with .npy files inside`, magic: 'PK\x03\x04' },
  { name: 'an empty zip archive', remedy: SAVE, magic: 'PK\x05\x06' },
  { name: 'a gzip file', remedy: UNPACK, magic: [0x1f, 0x8b] },
  { name: 'a bzip2 file', remedy: UNPACK, magic: 'BZh' },
  { name: 'an xz file', remedy: UNPACK, magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00] },
  { name: 'a zstd file', remedy: UNPACK, magic: [0x28, 0xb5, 0x2f, 0xfd] },
  { name: 'a 7-Zip archive', remedy: UNPACK, magic: [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c] },
  { name: 'a tar archive', remedy: UNPACK, magic: 'ustar', at: 257 },
  { name: 'a PNG image', remedy: SAVE, magic: [0x89, 0x50, 0x4e, 0x47] },
  { name: 'a JPEG image', remedy: SAVE, magic: [0xff, 0xd8, 0xff] },
  { name: 'a GIF image', remedy: SAVE, magic: 'GIF8' },
  { name: 'a PDF document', remedy: SAVE, magic: '%PDF' },
  { name: 'a Parquet file', remedy: SAVE, magic: 'PAR1' },
  { name: 'an Arrow file', remedy: SAVE, magic: 'ARROW1' },
  { name: 'an HDF5 file', remedy: SAVE, magic: [0x89, 0x48, 0x44, 0x46] },
  { name: 'an SQLite database', remedy: SAVE, magic: 'SQLite format 3' },
  { name: 'a GGUF model', remedy: SAVE, magic: 'GGUF' },
  { name: 'a WebAssembly module', remedy: SAVE, magic: '\0asm' },
  { name: 'a Python pickle', remedy: `${SAVE}: a pickle can run code`, magic: [0x80, 0x02] },
  { name: 'a Python pickle', remedy: `${SAVE}: a pickle can run code`, magic: [0x80, 0x03] },
  { name: 'a Python pickle', remedy: `${SAVE}: a pickle can run code`, magic: [0x80, 0x04] },
  { name: 'a Python pickle', remedy: `${SAVE}: a pickle can run code`, magic: [0x80, 0x05] },
  { name: 'a text in UTF-16', remedy: SAVE, magic: [0xff, 0xfe] },
  { name: 'a text in UTF-16', remedy: SAVE, magic: [0xfe, 0xff] },
]

/**
 * Says which kind of file begins like this, as the end of a sentence; undefined if the kind is unknown.
 * @param prefix the file, or its beginning: `KIND_BYTES` tell the most
 * @param expected what the file should have been, such as 'a .npy file'
 */
export function wrongKind(prefix: Uint8Array, expected: string): string | undefined {
  if (prefix.length === 0) return `the file is empty, not ${expected}: write it or fetch it again`
  const kind = kindOf(prefix)
  return kind && `the file is ${kind.name}, not ${expected}: ${kind.remedy}`
}

function kindOf(prefix: Uint8Array): Pick<Kind, 'name' | 'remedy'> | undefined {
  const known = KINDS.find(({ magic, at = 0 }) => beginsWith(prefix, magic, at))
  if (known !== undefined) return known
  // The length of a header of less than 100 MB, then the header.
  if (prefix.length > 8 && prefix[8] === 0x7b && prefix.subarray(4, 8).every((byte) => byte === 0)) {
    return { name: 'a safetensors file', remedy: 'open an index with openIndex or loadIndex' }
  }
  return textKind(prefix.subarray(0, KIND_BYTES))
}

function beginsWith(prefix: Uint8Array, magic: Kind['magic'], at: number): boolean {
  const bytes = typeof magic === 'string' ? Array.from(magic, (letter) => letter.charCodeAt(0)) : magic
  return bytes.every((byte, i) => prefix[at + i] === byte)
}

function textKind(prefix: Uint8Array): Pick<Kind, 'name' | 'remedy'> | undefined {
  const text = textOf(prefix)?.trimStart()
  if (text === undefined) return undefined
  if (/^version https?:\/\/git-lfs/.test(text)) {
    return { name: 'a Git LFS pointer', remedy: 'fetch the file itself with `git lfs pull`' }
  }
  if (/^<\?xml/i.test(text)) return { name: 'an XML document', remedy: PAGE }
  if (/^<[!a-z]/i.test(text)) return { name: 'an HTML page', remedy: PAGE }
  if (/^[[{]/.test(text)) return { name: 'JSON', remedy: SAVE }
  const [line = ''] = text.split(/[\r\n]/)
  if (/[,;\t]/.test(line)) return { name: 'CSV', remedy: SAVE }
  return { name: 'plain text', remedy: SAVE }
}

/** The prefix as text, if it is text; the last character may be cut. */
function textOf(prefix: Uint8Array): string | undefined {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(prefix).replace(/\uFFFD{1,3}$/, '')
  const isText = text.length > 3 && !/(?![\t\n\v\f\r])\p{Cc}|\uFFFD/u.test(text)
  return isText ? text : undefined
}
