// What wrangler.jsonc binds; `npx wrangler types` writes the same.
declare namespace Cloudflare {
  interface Env {
    BUCKET: R2Bucket
    INDEX_KEY: string
    AI?: Ai
  }
}
