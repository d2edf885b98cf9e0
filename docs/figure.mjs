// Draws docs/architecture.svg from the imports of src/: a folder stands above all that it imports, and an arrow is left out
// where a longer way says the same. Run: npm run docs:figure.
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { importsOfFolders } from './folders.mjs'

const [BOX_WIDTH, BOX_HEIGHT, GAP_X, GAP_Y, MARGIN] = [112, 34, 26, 46, 20]

/** The figure as SVG, light and dark by the reader's setting. */
export function figure(src) {
  const folders = importsOfFolders(src)
  const levels = new Map()
  const levelOf = (folder) => {
    if (!levels.has(folder)) levels.set(folder, Math.max(-1, ...(folders.get(folder) ?? []).map(levelOf)) + 1)
    return levels.get(folder)
  }
  for (const folder of folders.keys()) levelOf(folder)
  const rows = []
  for (const [folder, level] of levels) rows[level] = [...(rows[level] ?? []), folder].sort()
  const widest = Math.max(...rows.map((row) => row.length))
  const width = 2 * MARGIN + widest * BOX_WIDTH + (widest - 1) * GAP_X
  const height = 2 * MARGIN + rows.length * BOX_HEIGHT + (rows.length - 1) * GAP_Y
  const places = new Map()
  for (const [level, row] of rows.entries()) {
    const left = (width - row.length * BOX_WIDTH - (row.length - 1) * GAP_X) / 2
    for (const [i, folder] of row.entries()) {
      const y = height - MARGIN - BOX_HEIGHT - level * (BOX_HEIGHT + GAP_Y)
      places.set(folder, { x: left + i * (BOX_WIDTH + GAP_X), y })
    }
  }
  const reaches = (from, to) => folders.get(from).some((next) => next === to || reaches(next, to))
  const arrows = [...folders].flatMap(([folder, imported]) => {
    const direct = imported.filter((to) => !imported.some((other) => other !== to && reaches(other, to)))
    return direct.map((to) => arrow(places.get(folder), places.get(to)))
  })
  const boxes = [...places].map(([folder, { x, y }]) => {
    const label = folder === 'doors' ? 'doors (entries)' : `${folder}/`
    const middle = `x="${x + BOX_WIDTH / 2}" y="${y + BOX_HEIGHT / 2 + 4.5}"`
    return `<rect x="${x}" y="${y}" width="${BOX_WIDTH}" height="${BOX_HEIGHT}" rx="5"/><text ${middle}>${label}</text>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title">
<title id="title">Folders of src/: each imports only folders below it</title>
<style>
rect { fill: #fff; stroke: #456; } text { font: 13px system-ui, sans-serif; fill: #123; text-anchor: middle; }
path { stroke: #789; fill: none; marker-end: url(#head); } marker path { fill: #789; stroke: none; marker-end: none; }
@media (prefers-color-scheme: dark) { rect { fill: #1c2630; stroke: #9bc; } text { fill: #def; } }
</style>
<defs><marker id="head" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z"/></marker></defs>
${arrows.join('\n')}
${boxes.join('\n')}
</svg>
`
}

function arrow(from, to) {
  const [x1, y1] = [from.x + BOX_WIDTH / 2, from.y + BOX_HEIGHT]
  const [x2, y2] = [to.x + BOX_WIDTH / 2, to.y - 2]
  const bend = (y2 - y1) / 2
  return `<path d="M${x1} ${y1} C${x1} ${y1 + bend} ${x2} ${y2 - bend} ${x2} ${y2}"/>`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = new URL('../', import.meta.url)
  writeFileSync(new URL('docs/architecture.svg', root), figure(fileURLToPath(new URL('src', root))))
}
