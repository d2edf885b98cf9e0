/** The element of the page with an id; its kind is part of the contract between page and program. */
export function byId<T extends HTMLElement>(id: string, kind: new () => T): T {
  const found = document.getElementById(id)
  if (found instanceof kind) return found
  throw new Error(`the page has no ${kind.name} with the id ${id}`)
}

type Attributes = Readonly<Record<string, string>>

/** A new element; texts are set as texts, never as markup. */
export function element(
  tag: string,
  attributes: Attributes = {},
  ...children: readonly (Node | string)[]
): HTMLElement {
  const made = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value)
  made.append(...children)
  return made
}

/** Fills every element that states this fact, such as how many rows there are. */
export function stateFact(name: string, value: string): void {
  for (const place of document.querySelectorAll(`[data-fact="${name}"]`)) place.textContent = value
}
