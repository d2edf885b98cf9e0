import type { Plugin } from 'esbuild'

export declare const embedWasm: Plugin
export declare const importWasm: Plugin
export declare function encodeBytes(bytes: Uint8Array): string
