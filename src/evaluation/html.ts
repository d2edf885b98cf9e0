import type { Block } from './document.js'
import { escapeXml } from './svg.js'

const STYLE = `
:root { color-scheme: light dark; --ink: #1a1a1a; --paper: #fff; --quiet: #555; --rule: #d5d5d5; --band: #f5f6f8 }
@media screen and (prefers-color-scheme: dark) {
  :root { --ink: #f0f0f0; --paper: #16181c; --quiet: #b5b8bf; --rule: #3a3d44; --band: #1f2228 }
}
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 70rem; padding: 1rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Arial, sans-serif }
h1 { font-size: 1.6rem; line-height: 1.2 } h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--rule) }
p { max-width: 48rem }
.table, figure { margin: 1rem 0; overflow-x: auto }
figure svg { max-width: 100%; min-width: 36rem; height: auto; display: block }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .875rem; white-space: nowrap }
th, td { padding: .3rem .75rem; text-align: right; border-bottom: 1px solid var(--rule) }
th { color: var(--quiet); font-weight: 600; vertical-align: bottom }
th:first-child, td:first-child { text-align: left; position: sticky; left: 0; background: var(--paper) }
tbody tr:nth-child(even) td { background: var(--band) }
@media print { .table, figure { overflow: visible } h2, figure, tr { break-inside: avoid } }`

/**
 * One page that needs no other file: styles and plots stand inside; light or dark as the reader's screen, and for
 * phones.
 */
export function htmlOf(blocks: readonly Block[]): string {
  const title = blocks.find((block) => block.kind === 'heading')?.text ?? 'Report'
  return [
    '<!doctype html>',
    '<html lang="en">',
    `<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">`,
    `<title>${escapeXml(title)}</title><style>${STYLE}</style></head>`,
    '<body><main>',
    ...blocks.map(blockHtml),
    '</main></body>',
    '</html>\n',
  ].join('\n')
}

function blockHtml(block: Block): string {
  switch (block.kind) {
    case 'heading':
      return `<h${block.level}>${escapeXml(block.text)}</h${block.level}>`
    case 'paragraph':
      return `<p>${escapeXml(block.text)}</p>`
    case 'plot':
      return `<figure>${block.svg}</figure>`
    default: {
      const row = (cells: readonly string[], tag: 'th' | 'td') => {
        const scope = tag === 'th' ? ' scope="col"' : ''
        return `<tr>${cells.map((cell) => `<${tag}${scope}>${escapeXml(cell)}</${tag}>`).join('')}</tr>`
      }
      const body = block.rows.map((cells) => row(cells, 'td')).join('\n')
      return `<div class="table"><table><thead>${row(block.header, 'th')}</thead>\n<tbody>${body}</tbody></table></div>`
    }
  }
}
