/**
 * What `JSON.parse` lets through and a file header must not have: values nested deeper than `maxDepth`, an object that gives
 * a key twice (the last would silently win), a key `__proto__`. The text may be anything: `JSON.parse` judges its syntax.
 *
 * @returns what is wrong, or undefined
 */
export function jsonFault(text: string, maxDepth: number): string | undefined {
  /** One entry for each open bracket: the keys of an object, undefined for an array. */
  const open: (Set<string> | undefined)[] = []
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (character === '{' || character === '[') {
      if (open.length === maxDepth) return `values nest deeper than ${maxDepth} levels`
      open.push(character === '{' ? new Set() : undefined)
    } else if (character === '}' || character === ']') {
      open.pop()
    } else if (character === '"') {
      const end = closingQuote(text, at)
      const key = isKey(text, end) ? unquote(text.slice(at, end + 1)) : undefined
      const keys = open.at(-1)
      if (key !== undefined && keys?.has(key)) return `the key ${JSON.stringify(key)} comes twice`
      if (key === '__proto__') return 'the key "__proto__" is not allowed'
      if (key !== undefined) keys?.add(key)
      at = end
    }
  }
  return undefined
}

/** Position of the quote that ends the string begun at `start`, or the end of the text. */
function closingQuote(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '"') return at
    if (text[at] === '\\') at++
  }
  return text.length
}

function isKey(text: string, end: number): boolean {
  let at = end + 1
  while (at < text.length && ' \t\r\n'.includes(text[at]!)) at++
  return text[at] === ':'
}

/** The key a string spells: "a" and "\u0061" are the same. */
function unquote(literal: string): string | undefined {
  if (!literal.includes('\\')) return literal.slice(1, -1)
  try {
    return JSON.parse(literal)
  } catch {
    return undefined
  }
}
