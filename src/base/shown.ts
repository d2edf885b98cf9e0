import { PackvecError } from './errors.js'

/** Node asks for this method of whatever console.log prints; Deno and Bun do too. Nothing of Node is imported. */
const INSPECT = Symbol.for('nodejs.util.inspect.custom')

/**
 * Lets console.log print an object as its class by name with a few facts, also where a bundler renamed the class. For a constructor
 * to call: a method with a computed name would keep the whole class in bundles that do not use it.
 * @param facts names of properties; those that are undefined are left out
 */
export function showAs(object: object, name: string, facts: string): void {
  const prototype = Object.getPrototypeOf(object)
  // Refused without an error where the host froze the prototypes.
  if (!(INSPECT in prototype)) Reflect.defineProperty(prototype, INSPECT, { value: show })

  function show(this: Record<string, unknown>): object {
    const shown = new { [name]: class {} }[name]!() as Record<string, unknown>
    try {
      for (const fact of facts.split(' ')) if (this[fact] !== undefined) shown[fact] = this[fact]
    } catch (error) {
      // An index that was disposed has no facts any more.
      shown.error = (error as PackvecError).code
    }
    return shown
  }
}

/** What only this package hands to a constructor. */
export const OWN = {}

/** @throws PackvecError INVALID_ARGUMENT where a caller used `new` for what a function makes */
export function checkOwn(own: unknown, name: string, factory: string): void {
  if (own === OWN) return
  throw new PackvecError('INVALID_ARGUMENT', name, `${name} cannot be made with new: call ${factory}`)
}
