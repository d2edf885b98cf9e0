/** Page 0 belongs to the compiler: an address below it is never a region's. */
const FIRST_BYTE = 65_536
/** A cache line, so that no two regions share one. */
const ALIGNMENT = 64

export type Regions<Name extends string> = Readonly<Record<Name, number>> & {
  /** Bytes of memory that hold every region. */
  readonly end: number
}

/** Lays regions of the given sizes (bytes) one behind the other, each on a cache line of its own. */
export function planRegions<Name extends string>(sizes: Readonly<Record<Name, number>>): Regions<Name> {
  const plan: Record<string, number> = {}
  let end = FIRST_BYTE
  for (const [name, bytes] of Object.entries<number>(sizes)) {
    plan[name] = end
    end += roundUp(bytes, ALIGNMENT)
  }
  plan['end'] = end
  return plan as Regions<Name>
}

export function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple
}
