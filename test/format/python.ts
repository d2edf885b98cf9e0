import { execFileSync, spawnSync } from 'node:child_process'

/** A Python to check files with: the one that the variable PACKVEC_PYTHON names. */
const PYTHON = process.env['PACKVEC_PYTHON']

/** Why a test that needs these Python packages cannot run here; undefined when it can. */
export function missingPython(...packages: string[]): string | undefined {
  if (!PYTHON) return 'PACKVEC_PYTHON names no python'
  const { status } = spawnSync(PYTHON, ['-c', `import ${packages.join(', ')}`])
  return status === 0 ? undefined : `the python of PACKVEC_PYTHON lacks one of ${packages.join(', ')}`
}

/** Runs a Python program and gives what it prints as JSON. */
export function runPython(program: string, ...args: string[]): unknown {
  return JSON.parse(execFileSync(PYTHON!, ['-c', program, ...args], { encoding: 'utf8' }))
}
