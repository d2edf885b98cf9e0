/**
 * Whether this host drops what belongs to a request when its client goes away: no `finally` runs, what it awaits never comes.
 * Nothing under way may be shared between requests there. Cloudflare's workerd and the edge runtime of Vercel and Next.js.
 */
export function dropsRequests(): boolean {
  const { navigator } = globalThis as { readonly navigator?: { readonly userAgent?: string } }
  return navigator?.userAgent === 'Cloudflare-Workers' || 'WebSocketPair' in globalThis || 'EdgeRuntime' in globalThis
}
