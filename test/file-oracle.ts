import { floatBits } from '../src/base/half.js'
import { decodeSafetensors } from '../src/formats/safetensors.js'
import { Calibration, Levels, type Precision, quantizeEmbeddings, transformEmbeddings } from '../src/index.js'
import { Rotation } from '../src/rotations.js'

/** What an index file says, read as docs/format.md has it, and searched by float64 over the decoded codes. */
export class Oracle {
  readonly rows: number
  readonly dims: number
  readonly inputDims: number
  readonly coarse: Precision
  readonly rescore: Precision | 'none'
  readonly #tensors: ReturnType<typeof decodeSafetensors>['tensors']
  readonly #metadata: Readonly<Record<string, string>>
  readonly #rotation: Rotation | undefined
  readonly #decoded = new Map<string, Float64Array>()

  constructor(file: Uint8Array) {
    const { tensors, metadata } = decodeSafetensors(file)
    this.#tensors = tensors
    this.#metadata = metadata
    this.rows = Number(metadata['rows'])
    this.dims = Number(metadata['dims'])
    this.inputDims = Number(metadata['input_dims'])
    this.coarse = metadata['coarse'] as Precision
    this.rescore = metadata['rescore'] as Precision | 'none'
    this.#rotation = this.#openRotation()
  }

  /** Scores of all rows for a query by the codes of one stage, as exactly as float64 has them. */
  asymmetric(query: Float32Array, precision: Precision): Float64Array {
    const name = this.#nameOf(precision)
    const decoded = this.#decode(name)
    const factors = this.#factors(name)
    const { turned, offset } = this.#turn(query)
    // Without a factor a set bit counts 1 and another one 0.
    const isSum = name === 'binary' && factors === undefined
    const sum = isSum ? turned.reduce((total, value) => total + value, 0) : 0
    return Float64Array.from({ length: this.rows }, (_, row) => {
      let dot = 0
      for (let d = 0; d < this.dims; d++) dot += turned[d]! * decoded[row * this.dims + d]!
      const score = isSum ? (dot + sum) / 2 : dot
      return score * (factors?.[row] ?? 1) + offset
    })
  }

  /** How far float32 sums may be from `asymmetric`, row by row. */
  rounding(query: Float32Array, precision: Precision, scoring: 'symmetric' | 'asymmetric'): Float64Array {
    const name = this.#nameOf(precision)
    const factors = this.#factors(name)
    const { turned, offset } = scoring === 'symmetric' ? this.#decodedQuery(query) : this.#turn(query)
    const rounding = ROUNDING * (this.dims + MORE_ROUNDINGS)
    // What a rotation gives is as exact as the whole query is.
    const length = this.#rotation === undefined ? 0 : Math.hypot(...turned)
    const sum = this.#most(name).reduce((total, most, d) => total + most * (Math.abs(turned[d]!) + length), 0)
    return Float64Array.from({ length: this.rows }, (_, row) => {
      return rounding * (Math.abs(factors?.[row] ?? 1) * sum + Math.abs(offset)) + Number.MIN_VALUE
    })
  }

  /** Whether two precisions are kept in the same codes. */
  areOneKind(one: Precision, other: Precision): boolean {
    return this.#nameOf(one) === this.#nameOf(other)
  }

  /** Scores of codes with the query's codes, in whole numbers. */
  symmetric(query: Float32Array): Float64Array {
    const { coarse, dims } = this
    if (coarse === 'float32') return this.asymmetric(query, coarse)
    if (coarse === 'int4') return this.#symmetricLevels(query)
    const own = this.#encode(query)
    const name = this.#nameOf(coarse)
    const codes = this.#integers(name, this.#bytes(name), this.rows)
    const isBits = name === 'binary'
    return Float64Array.from({ length: this.rows }, (_, row) => {
      let dot = 0
      for (let d = 0; d < dims; d++) dot += own[d]! * codes[row * dims + d]!
      // Of +1 and -1, half of what the dot lacks is the distance.
      return isBits ? (dot - dims) / 2 : dot
    })
  }

  /** int4 is compared as it decodes, the query too. */
  #symmetricLevels(query: Float32Array): Float64Array {
    const decoded = this.#decode('int4')
    const factors = this.#factors('int4')
    const { turned, offset } = this.#decodedQuery(query)
    return Float64Array.from({ length: this.rows }, (_, row) => {
      let dot = 0
      for (let d = 0; d < this.dims; d++) dot += turned[d]! * decoded[row * this.dims + d]!
      return dot * (factors?.[row] ?? 1) + offset
    })
  }

  #decodedQuery(query: Float32Array): { turned: Float64Array; offset: number } {
    const levels = this.#floats('int4.levels')
    const turned = this.#encode(query).map((code, d) => levels[code * this.dims + d]!)
    return { turned, offset: this.#turn(query).offset }
  }

  /** The codes of a query, as whole numbers that are compared. */
  #encode(query: Float32Array): Float64Array {
    const { coarse, dims } = this
    const kept = transformEmbeddings([query], this.#transform()).data
    const precision = coarse === 'binary' ? 'ubinary' : coarse
    const codes = quantizeEmbeddings({ data: kept, dims: [1, dims] }, precision, {
      ...this.#book(coarse),
      onWarning() {},
    })
    return this.#integers(this.#nameOf(coarse), new Uint8Array(codes.data.buffer, 0, codes.data.byteLength), 1)
  }

  #transform() {
    const rotation = this.#rotation
    return {
      ...(this.inputDims === this.dims
        ? {}
        : { truncate: this.dims, renormalize: this.#metadata['renormalize'] === 'true' }),
      ...(rotation === undefined ? {} : { rotation }),
    }
  }

  #book(precision: Precision) {
    const [name, { dims }] = [this.#nameOf(precision), this]
    if (name === 'int8' || name === 'uint8') return { ranges: Calibration.fromRanges(this.#floats('ranges'), { dims }) }
    if (!['ternary', 'quaternary', 'int4'].includes(name)) return {}
    const rowsOf = (values: Float64Array) =>
      Array.from({ length: values.length / dims }, (_, i) => Array.from(values.subarray(i * dims, (i + 1) * dims)))
    const [thresholds, values] = ['thresholds', 'levels'].map((part) => rowsOf(this.#floats(`${name}.${part}`)))
    const scope = this.#metadata[`${name}.scope`] as 'global'
    const json = { format: 'packvec-levels', version: 1, precision: name as 'int4', scope, dims } as const
    return { levels: Levels.fromJSON({ ...json, thresholds: thresholds!, values: values! }) }
  }

  /** The query as rows are before they are encoded, but for the centre, which is added to each score. */
  #turn(query: Float32Array): { turned: Float64Array; offset: number } {
    let cut = Float64Array.from(query.subarray(0, this.dims))
    if (this.inputDims > this.dims && this.#metadata['renormalize'] === 'true') {
      const norm = Math.hypot(...cut)
      cut = cut.map((value) => value / (norm || 1))
    }
    const centre = this.#tensors.has('centre') ? this.#floats('centre') : undefined
    const offset = centre === undefined ? 0 : cut.reduce((sum, value, d) => sum + value * centre[d]!, 0)
    const matrix = this.#rotation?.matrix
    if (matrix === undefined) return { turned: cut, offset }
    const turned = new Float64Array(this.dims)
    for (let i = 0; i < this.dims; i++) {
      for (let j = 0; j < this.dims; j++) turned[j]! += cut[i]! * matrix[i * this.dims + j]!
    }
    return { turned, offset }
  }

  #openRotation(): Rotation | undefined {
    const { rotation, rotation_seed: seed } = this.#metadata
    if (rotation === undefined) return undefined
    if (rotation === 'hadamard') return Rotation.hadamard(this.dims, { seed: Number(seed) })
    const centre = this.#tensors.has('centre') ? Float32Array.from(this.#floats('centre')) : undefined
    return Rotation.fromMatrix(Float32Array.from(this.#floats('rotation')), this.dims, 'svd', undefined, { centre })
  }

  /** Bits are kept as unsigned bytes, a second stage of the kind of the first one uses its codes. */
  #nameOf(precision: Precision): string {
    const kinds = [['binary', 'ubinary'], ['int8', 'uint8'], ['ternary', 'quaternary'], ['int4'], ['float32']]
    const kind = kinds.find((names) => names.includes(precision))!
    return kind.find((name) => this.#tensors.has(name))!
  }

  #bytes(name: string): Uint8Array {
    return new Uint8Array(this.#tensors.get(name)!.data)
  }

  #floats(name: string): Float64Array {
    return Float64Array.from(new Float32Array(this.#bytes(name).slice().buffer))
  }

  #factors(name: string): Float64Array | undefined {
    const tensor = this.#tensors.get(`${name}.scale`)
    if (tensor === undefined) return undefined
    const bytes = this.#bytes(`${name}.scale`).slice().buffer
    if (tensor.dtype === 'F32') return Float64Array.from(new Float32Array(bytes))
    const bits = new Uint32Array(1)
    const wide = new Float32Array(bits.buffer)
    return Float64Array.from(new Uint16Array(bytes), (half) => {
      bits[0] = floatBits(half)
      return wide[0]!
    })
  }

  /** Codes as the whole numbers that are compared: +1 and -1; -1 0 1; -3 -1 1 3; int8; the index of a level of int4. */
  #integers(name: string, bytes: Uint8Array, rows: number): Float64Array {
    const { dims } = this
    const bits = { binary: 1, ternary: 2, quaternary: 2, int4: 4 }[name] ?? 8
    const rowBytes = Math.ceil((dims * bits) / 8)
    const valueOfCode: Record<string, (code: number) => number> = {
      binary: (code) => 2 * code - 1,
      ternary: (code) => code - 1,
      quaternary: (code) => 2 * code - 3,
      int8: (code) => (code << 24) >> 24,
    }
    const value = valueOfCode[name] ?? ((code: number) => code)
    return Float64Array.from({ length: rows * dims }, (_, i) => {
      const [row, d] = [Math.floor(i / dims), i % dims]
      const byte = bytes[row * rowBytes + ((d * bits) >> 3)]!
      return value((byte >> (8 - bits - ((d * bits) & 7))) & ((1 << bits) - 1))
    })
  }

  /** Where the buckets of 8-bit codes begin, and how wide they are. */
  #buckets(): { mins: Float64Array; steps: Float64Array } {
    const ranges = this.#floats('ranges')
    const mins = ranges.subarray(0, this.dims)
    const maxs = ranges.subarray(this.dims)
    return { mins, steps: mins.map((min, d) => Math.fround(Math.fround(maxs[d]! - min) / 255) || 1) }
  }

  /** The largest number that stands for a value of each dimension while codes are summed. */
  #most(name: string): Float64Array {
    if (name === 'int8' || name === 'uint8') {
      const { mins, steps } = this.#buckets()
      return mins.map((min, d) => Math.abs(min) + 256 * steps[d]!)
    }
    const most = new Float64Array(this.dims)
    for (const [i, value] of this.#decode(name).entries()) {
      most[i % this.dims] = Math.max(most[i % this.dims]!, Math.abs(value))
    }
    return most
  }

  /** Decoded rows, without their factors. */
  #decode(name: string): Float64Array {
    const known = this.#decoded.get(name)
    if (known !== undefined) return known
    const decoded = this.#decodeRows(name)
    this.#decoded.set(name, decoded)
    return decoded
  }

  #decodeRows(name: string): Float64Array {
    const { dims, rows } = this
    if (name === 'float32') return this.#floats(name)
    const codes = this.#integers(name, this.#bytes(name), rows)
    if (name === 'binary') return codes
    if (name === 'int8' || name === 'uint8') {
      const { mins, steps } = this.#buckets()
      const bucket = name === 'int8' ? 128 : 0
      return codes.map((code, i) => mins[i % dims]! + (code + bucket) * steps[i % dims]!)
    }
    const levels = this.#floats(`${name}.levels`)
    const level = { ternary: (code: number) => code + 1, quaternary: (code: number) => (code + 3) / 2 }[name]
    return codes.map((code, i) => levels[(level?.(code) ?? code) * dims + (i % dims)]!)
  }
}

/** Of one float32; sums of `dims` of them are off by as many at most, and some more are before and behind. */
const ROUNDING = 2 ** -24
const MORE_ROUNDINGS = 16
