/** From the page to the model's worker. */
export type ModelRequest =
  | { readonly kind: 'load'; readonly base: string; readonly id: string; readonly hosted: boolean }
  | { readonly kind: 'embed'; readonly ticket: number; readonly text: string }

/** And back. */
export type ModelAnswer =
  | { readonly kind: 'progress'; readonly bytes: number }
  | { readonly kind: 'ready' }
  | { readonly kind: 'vector'; readonly ticket: number; readonly vector: Float32Array; readonly ms: number }
  | { readonly kind: 'failed'; readonly ticket?: number; readonly message: string }
