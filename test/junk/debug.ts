import type * as core from '../../src/index.js'

/** `packvec/debug` as it is built: classes of its own, over kernels of its own. */
export const debug = (await import(new URL('../../dist/debug.js', import.meta.url).href)) as typeof core
