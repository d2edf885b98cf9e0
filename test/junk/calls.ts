/** A function that the package exports, with arguments that it takes. */
export interface Call {
  readonly name: string
  /** Valid arguments, made anew: those that are objects may be spoiled. */
  args(): unknown[]
  // biome-ignore lint/suspicious/noExplicitAny: junk is given on purpose
  run(...args: any[]): unknown
  /** What the call may change only where it succeeds. */
  state?(): unknown
  /** Frees what a call gave. */
  close?(result: unknown): unknown
  /** Whether it promises to throw what the caller's own iterables throw, or what a signal was aborted with. */
  readonly throwsOwn?: boolean
  /** How often it is called beside the others, 1 by default. */
  readonly weight?: number
}

/** Members that are no doors: they take nothing, or are called by packvec alone. */
export const NOT_CALLED = [
  ...['constructor', 'length', 'name', 'prototype', 'toJSON', 'toTensors', 'clone', 'dispose', 'close', 'discard'],
  // @internal
  ...[
    'fromSources',
    'fromCodes',
    'readRanges',
    'addRows',
    'shareRange',
    'steps',
    'sizes',
    'open',
    'rows',
    'ofMinMax',
    'fromSealed',
  ],
]

export const onWarning = () => {}
export const rows = [
  [0.5, -1, 0.25],
  [-0.5, 1, 0.125],
  [1, 0.5, -2],
  [0.25, 0.5, 0.75],
]
export const query = [1, 0, 0.5]
