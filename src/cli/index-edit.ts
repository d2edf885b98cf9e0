import type { Command } from 'commander'
import { readIdsFile, writeIdsFile } from '../builder/ids-file.js'
import { refuseInputs } from '../files/target.js'
import { appendToIndex, compactIndex, deleteFromIndex, verifyIndex } from '../node.js'
import { withWork } from './index-work.js'
import { grouped, print, warn } from './terminal.js'

export function addIndexEdits(index: Command): void {
  index
    .command('append')
    .description('Add rows behind those of an index, with its rotation; its ranges widen where the rows need it.')
    .argument('<index>', 'an index file; it is replaced when the new one is whole')
    .argument('<corpus.npy...>', 'embeddings, rows x dims')
    .option('--ids <file>', 'ids of the new rows: JSON lines; needed where the index has ids')
    .option('--keep-ranges', 'leave its ranges as they are: for files that are searched as one with others')
    .action(async (path: string, corpus: string[], flags: { ids?: string; keepRanges?: true }) => {
      const { ids, keepRanges = false } = flags
      const given = { keepRanges, ...(ids === undefined ? {} : { ids: readIdsFile(ids) }) }
      await refuseInputs(path, [...corpus.map((file) => ['corpus', file] as const), ['file of --ids', ids]], 'index')
      await withWork(path, (work) => appendToIndex(path, corpus, { ...given, onWarning: warn, ...work }))
    })
  index
    .command('delete')
    .description('Mark rows as deleted: searches pass over them, all other ids stay.')
    .argument('<index>', 'an index file')
    .requiredOption('--ids <file>', 'ids of the rows: JSON lines, a string or a number each')
    .option('--ignore-missing', 'pass over ids that the index does not have')
    .action(async (path: string, { ids, ignoreMissing = false }: { ids: string; ignoreMissing?: boolean }) => {
      await refuseInputs(path, [['file of --ids', ids]], 'index')
      await withWork(path, (work) => deleteFromIndex(path, readIdsFile(ids), { ignoreMissing, ...work }))
    })
  index
    .command('compact')
    .description('Write an index without its deleted rows; ids stay.')
    .argument('<index>', 'an index file')
    .action(async (path: string) => {
      await withWork(path, (work) => compactIndex(path, work))
    })
  index
    .command('verify')
    .description('Read a whole index and check every checksum, digest and id.')
    .argument('<index>', 'an index file')
    .option('--json', 'print one JSON object')
    .action(async (path: string, { json }: { json?: true }) => {
      const summary = await withWork(path, (work) => verifyIndex(path, work))
      const { rows, deletedRows, byteLength } = summary
      const text = `${grouped(rows)} rows, ${grouped(deletedRows)} deleted, ${grouped(byteLength)} bytes: all checksums are right\n`
      await print([json ? `${JSON.stringify(summary)}\n` : text])
    })
  index
    .command('ids')
    .description('Write the ids of the rows that are not deleted, as JSON lines in the order of rows.')
    .argument('<index>', 'an index file')
    .requiredOption('-o, --output <file>', 'where the ids go; an existing file is replaced')
    .action(async (path: string, { output }: { output: string }) => {
      await writeIdsFile(path, output)
    })
}
