import type { Line } from './comparison.js'
import { overlap, TOP_K } from './contenders.js'
import { byId, element } from './dom.js'
import { milliseconds } from './numbers.js'

const body = byId('precisions', HTMLTableElement).tBodies[0]!

/** One row a precision; the first line is exact. */
export function showTable(lines: readonly Line[]): void {
  const [exact] = lines
  body.replaceChildren(...lines.map((line) => row(line, exact!)))
}

function row({ contender, bytesPerVector, found, ms, recall }: Line, exact: Line): HTMLElement {
  const smaller = exact.bytesPerVector / bytesPerVector
  return element(
    'tr',
    { ...(contender.rescored && { class: 'chosen' }), ...(found && { 'data-ids': Array.from(found.ids).join(' ') }) },
    element('th', { scope: 'row' }, contender.name),
    element('td', {}, String(Math.round(bytesPerVector))),
    element('td', { class: 'wide' }, `${smaller.toFixed(1)}×`),
    element('td', {}, ms === undefined ? '…' : milliseconds(ms)),
    element('td', {}, ...(found && exact.found ? shared(found.ids, exact.found.ids, overlap(found, exact.found)) : [])),
    element('td', {}, recall === undefined ? '…' : recall.toFixed(3)),
  )
}

/** A dot for each place of the exact list: full where it was found. */
function shared(found: Uint32Array, exact: Uint32Array, count: number): (Node | string)[] {
  const ids = new Set(found)
  const dots = Array.from(exact, (id) => element('i', ids.has(id) ? { class: 'found' } : {}))
  return [`${count} of ${TOP_K}`, element('span', { class: 'dots', 'aria-hidden': 'true' }, ...dots)]
}
