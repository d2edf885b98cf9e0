import type { Command } from 'commander'
import { addIndexBuild } from './index-build.js'
import { addIndexEdits } from './index-edit.js'

/** `packvec index ...`: index files built, changed, checked. */
export function addIndex(program: Command): void {
  const index = program.command('index').description('Build, change and check index files of any size.')
  addIndexBuild(index)
  addIndexEdits(index)
}
