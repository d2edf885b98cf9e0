// Keeps the page's own files, so that it opens without a network. The index and the model are kept by those that read them.

/** The lib of service workers and that of pages cannot be loaded together; this is what is used of it. */
interface ExtendableEvent extends Event {
  waitUntil(work: Promise<unknown>): void
}
interface FetchEvent extends ExtendableEvent {
  readonly request: Request
  respondWith(response: Promise<Response>): void
}
declare const clients: { claim(): Promise<void> }
declare const registration: { readonly scope: string }

/** Filled in by the build: a word that changes with the files, and those that the page needs to start. */
declare const VERSION: string
declare const START_FILES: readonly string[]

const PREFIX = `packvec-demo ${registration.scope} `
const CACHE = PREFIX + VERSION

addEventListener('install', (event) => {
  ;(event as ExtendableEvent).waitUntil(
    caches.open(CACHE).then((cache) => {
      return cache.addAll(START_FILES.map((file) => new Request(file, { cache: 'reload' })))
    }),
  )
})

addEventListener('activate', (event) => {
  ;(event as ExtendableEvent).waitUntil(removeOld().then(() => clients.claim()))
})

addEventListener('fetch', (event) => {
  const asked = event as FetchEvent
  if (isOurs(asked.request)) asked.respondWith(answer(asked.request))
})

/** Parts of files, files of models, and everything of other hosts go to the network as if nobody stood between. */
function isOurs({ method, url, headers }: Request): boolean {
  if (method !== 'GET' || headers.has('Range') || !url.startsWith(registration.scope)) return false
  const path = url.slice(registration.scope.length)
  return !path.startsWith('models/') && !path.includes('.safetensors')
}

async function answer(request: Request): Promise<Response> {
  const cache = await caches.open(CACHE)
  const kept = await cache.match(request, { ignoreSearch: true })
  if (kept !== undefined) return kept
  const response = await fetch(request)
  // What is loaded on demand is kept from then on; where there is no room the page still gets it.
  if (response.status === 200) await cache.put(request, response.clone()).catch(() => {})
  return response
}

async function removeOld(): Promise<void> {
  const names = await caches.keys()
  await Promise.all(
    names.filter((name) => name.startsWith(PREFIX) && name !== CACHE).map((name) => caches.delete(name)),
  )
}

export {}
