import type { Block } from './document.js'

/** GitHub's Markdown; plots are links to `<name>.svg` beside the file. */
export function markdownOf(blocks: readonly Block[]): string {
  return `${blocks.map(blockText).join('\n\n')}\n`
}

function blockText(block: Block): string {
  switch (block.kind) {
    case 'heading':
      return `${'#'.repeat(block.level)} ${inline(block.text)}`
    case 'paragraph':
      return inline(block.text)
    case 'plot':
      return `![${inline(block.title)}](${block.name}.svg)`
    default: {
      const line = (cells: readonly string[]) => `| ${cells.map((cell) => inline(cell)).join(' | ')} |`
      const rule = block.header.map((_, column) => (column === 0 ? '---' : '---:'))
      return [line(block.header), line(rule), ...block.rows.map(line)].join('\n')
    }
  }
}

/** Names come from the user: what Markdown would read as markup or as the end of a cell is escaped. */
function inline(text: string): string {
  return text.replace(/[\\*_[\]<>|]/g, '\\$&').replace(/\s+/g, ' ')
}
