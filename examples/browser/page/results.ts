import type { SearchResult } from 'packvec'
import { byId, element } from './dom.js'
import type { TextFile } from './manifest.js'
import type { Question } from './questions.js'

const list = byId('results', HTMLOListElement)
const note = byId('results-note', HTMLElement)

/** The nearest texts, best first. */
export function showResults(question: Question, { ids, scores }: SearchResult, corpus: TextFile): void {
  const categories = Array.from(ids, (id) => corpus.names[corpus.category[id]!]!)
  list.replaceChildren(
    ...Array.from(ids, (id, place) => {
      const category = categories[place]!
      const same = category === question.category
      return element(
        'li',
        { 'data-id': String(id) },
        element('span', { class: 'rank' }, `${place + 1}`),
        element('span', { class: 'score' }, scores[place]!.toFixed(3)),
        element('span', { class: 'text' }, corpus.texts[id]!),
        element(
          'span',
          { class: same ? 'category same' : 'category' },
          same ? `${words(category)} ✓` : words(category),
        ),
      )
    }),
  )
  list.classList.remove('stale')
  note.textContent = about(question, categories)
}

/** What is shown belongs to another question. */
export function markStale(): void {
  list.classList.add('stale')
}

function about({ text, category }: Question, categories: readonly string[]): string {
  const asked = `For “${text}”.`
  if (category === undefined) return asked
  const right = categories.filter((name) => name === category).length
  return `${asked} Its category is ${words(category)}: ${right} of ${categories.length} agree.`
}

function words(category: string): string {
  return category.replaceAll('_', ' ')
}
