import type { Block } from './document.js'

/** Plain text for a terminal: plots are left out. */
export function textOf(blocks: readonly Block[]): string {
  const shown = blocks.filter((block) => block.kind !== 'plot')
  return `${shown.map(blockText).join('\n')}\n`
}

function blockText(block: Exclude<Block, { kind: 'plot' }>): string {
  switch (block.kind) {
    case 'heading':
      return block.level === 1 ? block.text : `\n${plain(block.text)}`
    case 'paragraph':
      return wrap(plain(block.text), 100)
    default: {
      const lines = [block.header, ...block.rows].map((line) => line.map(plain))
      const widths = block.header.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)))
      return lines
        .map((line) => {
          const cells = line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
          return cells.join('  ').trimEnd()
        })
        .join('\n')
    }
  }
}

/** Names come from the user and may hold line breaks and escape codes. */
function plain(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ')
}

function wrap(text: string, width: number): string {
  const lines = ['']
  for (const word of text.split(' ')) {
    const last = lines.at(-1)!
    if (last === '') lines[lines.length - 1] = word
    else if (last.length + word.length < width) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines.join('\n')
}
