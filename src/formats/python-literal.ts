import { PackvecError } from '../base/errors.js'

/** A value of a `.npy` header: numbers, `True`, `False` and `None` stay words, which the caller judges. */
export type PythonLiteral =
  | { readonly kind: 'string'; readonly text: string }
  | { readonly kind: 'word'; readonly text: string }
  | { readonly kind: 'tuple' | 'list'; readonly items: readonly PythonLiteral[] }

/** A structured dtype nests two deep; anything much deeper is an attack on the stack. */
const MAX_DEPTH = 8

/**
 * Reads one Python dict of string keys, the header of a `.npy` file: either quote, any order, trailing commas, any
 * whitespace. Nothing is evaluated, and what Python would read differently (escapes, repeated keys) is refused.
 *
 * @throws PackvecError `INVALID_FILE` with the position in `text`
 */
export function parsePythonDict(text: string): Map<string, PythonLiteral> {
  const parser = new Parser(text)
  return parser.dict()
}

class Parser {
  private at = 0

  constructor(private readonly text: string) {}

  dict(): Map<string, PythonLiteral> {
    const entries = new Map<string, PythonLiteral>()
    this.skipSpace()
    this.expect('{')
    while (!this.take('}')) {
      const key = this.string()
      this.expect(':')
      if (entries.has(key)) this.fail(`the key '${key}' comes twice`)
      entries.set(key, this.value(0))
      if (this.peek() !== '}') this.expect(',')
    }
    if (this.at < this.text.length) this.fail(`expected nothing after the dict, got ${this.here()}`)
    return entries
  }

  private value(depth: number): PythonLiteral {
    if (depth > MAX_DEPTH) this.fail(`values nest deeper than ${MAX_DEPTH}`)
    const next = this.peek()
    if (next === "'" || next === '"') return { kind: 'string', text: this.string() }
    if (this.take('(')) return this.sequence(')', depth)
    if (this.take('[')) return this.sequence(']', depth)
    return { kind: 'word', text: this.word() }
  }

  private sequence(close: ')' | ']', depth: number): PythonLiteral {
    const items: PythonLiteral[] = []
    let commas = 0
    while (!this.take(close)) {
      items.push(this.value(depth + 1))
      if (this.peek() === close) continue
      this.expect(',')
      commas++
    }
    // In Python `(3)` is the number 3 in brackets; only a comma makes a tuple.
    if (close === ')' && items.length === 1 && commas === 0) return items[0]!
    return { kind: close === ')' ? 'tuple' : 'list', items }
  }

  private string(): string {
    const quote = this.peek()
    if (quote !== "'" && quote !== '"') this.fail(`expected a quoted string, got ${this.here()}`)
    const end = this.text.indexOf(quote, this.at + 1)
    if (end < 0) this.fail('a string has no end')
    const value = this.text.slice(this.at + 1, end)
    if (/[\\\r\n]/.test(value)) this.fail('a string holds an escape or a line break')
    this.at = end + 1
    this.skipSpace()
    return value
  }

  private word(): string {
    const pattern = /[-+.\w]+/y
    pattern.lastIndex = this.at
    const word = pattern.exec(this.text)?.[0]
    if (word === undefined) this.fail(`expected a value, got ${this.here()}`)
    this.at += word.length
    this.skipSpace()
    return word
  }

  private peek(): string {
    return this.text.charAt(this.at)
  }

  private take(character: string): boolean {
    if (this.peek() !== character) return false
    this.at++
    this.skipSpace()
    return true
  }

  private expect(character: string): void {
    if (!this.take(character)) this.fail(`expected '${character}', got ${this.here()}`)
  }

  private skipSpace(): void {
    while (this.at < this.text.length && ' \t\r\n'.includes(this.peek())) this.at++
  }

  private here(): string {
    return this.at < this.text.length ? JSON.stringify(this.peek()) : 'the end of the header'
  }

  private fail(what: string): never {
    throw new PackvecError('INVALID_FILE', 'npy', `the .npy header is not valid at character ${this.at}: ${what}`)
  }
}
