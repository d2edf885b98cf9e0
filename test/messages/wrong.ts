/** A value in the place of any type: what plain JavaScript may pass. */
// biome-ignore lint/suspicious/noExplicitAny: wrong arguments are the point
export const any = (value: unknown): any => value

export const silent = { onWarning: () => {} }
