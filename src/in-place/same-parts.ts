import { PackvecError } from '../base/errors.js'
import type { IndexHeader } from '../index-file/header.js'

/**
 * Several files are searched as one only where that gives what one index of all their rows would give: their codes must mean
 * the same. @throws PackvecError INVALID_ARGUMENT, naming what differs
 */
export function checkSameParts(headers: readonly IndexHeader[], names: readonly string[]): void {
  const [first] = headers.map(traitsOf)
  for (const [i, header] of headers.entries()) {
    const traits = traitsOf(header)
    for (const trait of new Set([...Object.keys(first!), ...Object.keys(traits)])) {
      if (traits[trait] === first![trait]) continue
      const values = `${shown(traits[trait])} in ${names[i]}, ${shown(first![trait])} in ${names[0]}`
      const message = `sources[${i}] differs from sources[0] in ${trait}: ${values}`
      throw new PackvecError('INVALID_ARGUMENT', `sources[${i}]`, message)
    }
  }
}

/** What must be the same, in words; tensors by their sums. */
function traitsOf(header: IndexHeader): Record<string, string> {
  const { dims, inputDims, renormalize, stages, columns, small, ids, metadata } = header
  return {
    dims: String(dims),
    'input dims': String(inputDims),
    renormalization: String(renormalize),
    'coarse precision': stages.coarse,
    'rescore precision': stages.rescore,
    rotation: metadata['rotation'] ?? 'none',
    'rotation seed': metadata['rotation_seed'] ?? 'none',
    'kind of ids': { rows: 'row numbers', numbers: 'ids', texts: 'keys' }[ids.kind],
    ...Object.fromEntries(columns.map(({ codes, scale }) => [`scale of ${codes.name}`, scale ? 'kept' : 'none'])),
    ...Object.fromEntries(small.map(({ name, sha256 }) => [name, sha256])),
  }
}

function shown(trait: string | undefined): string {
  if (trait === undefined) return 'none'
  return trait.length === 64 ? `SHA-256 ${trait.slice(0, 8)}...` : trait
}
