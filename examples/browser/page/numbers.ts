const whole = new Intl.NumberFormat('en')

export function count(value: number): string {
  return whole.format(value)
}

/** 242 KB, 7.74 MB: decimal units, three digits. */
export function bytes(value: number): string {
  if (value < 1e3) return `${value} bytes`
  const [scaled, unit] = value < 999_500 ? [value / 1e3, 'KB'] : [value / 1e6, 'MB']
  return `${scaled.toPrecision(scaled < 100 ? 3 : String(Math.round(scaled)).length)} ${unit}`
}

/** Milliseconds with three digits behind the point: the searches here take microseconds. */
export function milliseconds(value: number): string {
  return value < 10 ? value.toFixed(3) : value.toFixed(1)
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
