/** Where the hub's files come from, after its redirects. */
const HUB = ['https://huggingface.co', 'https://*.huggingface.co', 'https://*.hf.co']

/** What the page may load, as a meta tag says it: itself, WebAssembly, the model's hub, and an index kept elsewhere. */
export function contentSecurityPolicy(options: { hosted: boolean; indexUrl?: string | undefined }): string {
  const connect = ["'self'", ...(options.hosted ? [] : HUB)]
  if (options.indexUrl !== undefined) connect.push(new URL(options.indexUrl).origin)
  return [
    "default-src 'self'",
    "script-src 'self' 'wasm-unsafe-eval'",
    `connect-src ${connect.join(' ')}`,
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
}
