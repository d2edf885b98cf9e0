import type { Command } from 'commander'
import { addIndexBuild } from './index-build.js'
import { addIndexEdits } from './index-edit.js'
import { addIndexSearch } from './index-search.js'

/** `packvec index ...`: index files built, changed, checked. */
export function addIndex(program: Command): void {
  const index = program.command('index').description('Build, change, check and search index files of any size.')
  addIndexBuild(index)
  addIndexEdits(index)
  addIndexSearch(index)
}
