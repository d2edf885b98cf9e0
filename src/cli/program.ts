import { Command, CommanderError } from 'commander'
import manifest from '../../package.json' with { type: 'json' }
import { PackvecError } from '../index.js'
import { addConvert } from './convert.js'
import { addEval } from './eval.js'
import { addIndex } from './index-commands.js'
import { addInspect } from './inspect.js'
import { addQuantize } from './quantize.js'
import { addSearch } from './search.js'
import { endIfAsked, handleSignals } from './signals.js'
import { complain, handleStreamErrors } from './terminal.js'

/** Exit codes: what the user typed, and what went wrong with it. */
const WRONG_USAGE = 2
const FAILURE = 1

/** The command line: reads `process.argv`, leaves the exit code in `process.exitCode`. */
export async function run(): Promise<void> {
  handleStreamErrors()
  handleSignals()
  const program = new Command('packvec')
    .description('Embeddings 4 to 32 times smaller, and searched: quantization as in sentence-transformers.')
    .version(manifest.version)
    .exitOverride()
    .configureOutput({ outputError: (text) => complain(text.replace(/^error: /, '')) })
  addQuantize(program)
  addSearch(program)
  addIndex(program)
  addInspect(program)
  addConvert(program)
  addEval(program)
  try {
    await program.parseAsync()
  } catch (error) {
    process.exitCode = exitCode(error)
  }
  endIfAsked()
}

function exitCode(error: unknown): number {
  // commander has said what is wrong already; help and version are no errors.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : WRONG_USAGE
  if (error instanceof PackvecError) complain(error.message)
  else complain(`unexpected error: ${error instanceof Error ? error.message : String(error)}`)
  return FAILURE
}
