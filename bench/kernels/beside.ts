import type { ReadKernels } from '../arena.js'
import { best, readers } from '../limits.js'
import { type Contender, interleave } from '../measure.js'
import type { Line } from '../results.js'
import type { Sizes } from '../sizes.js'

/** A form of a kernel; `name` follows the group's name in the ids of its lines. */
export interface Form extends Contender {
  readonly what: string
}

export interface Comparison {
  readonly group: string
  readonly forms: readonly Form[]
  readonly javascript: Contender
  readonly read: ReadKernels
  readonly ptr: number
  /** Bytes read by the kernel, from `ptr` on. */
  readonly bytes: number
}

/** Forms of a kernel in turns with the read loops over the same bytes; then with plain JavaScript, which is slow. */
export async function beside(comparison: Comparison, sizes: Sizes): Promise<Line[]> {
  const { group, forms, javascript, read, ptr, bytes } = comparison
  const fast = await interleave([...forms, ...readers(read, ptr, bytes)], sizes.turns)
  const limit = best(fast.slice(forms.length))
  const main = forms.at(-1)!
  const turns = bytes > 1e7 ? sizes.slowTurns : sizes.turns
  const [own, plain] = await interleave([main, javascript], turns)
  const lines = forms.map(({ name, what }, i) => {
    const timing = fast[i]!
    return { id: `${group}.${name}`, what, timing, bytes, note: `${percent(limit.median / timing.median)} of the read` }
  })
  const times = (plain!.median / own!.median).toFixed(1)
  return [
    ...lines,
    { id: `${group}.read`, what: `  read only, ${limit.name}`, timing: limit, bytes },
    {
      id: `${group}.javascript`,
      what: '  plain JavaScript',
      timing: plain!,
      bytes,
      note: `packvec ${times} times faster`,
    },
  ]
}

function percent(fraction: number): string {
  return `${Math.round(100 * fraction)} %`
}
