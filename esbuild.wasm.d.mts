import type { Plugin } from 'esbuild'

export const embedWasm: Plugin
export const importWasm: Plugin
