interface NodeModules {
  worker_threads: typeof import('node:worker_threads')
  os: typeof import('node:os')
}

/** A module of Node's by a name that no bundler follows: esbuild, for one, refuses `node:` in what it bundles for browsers. */
export function importNode<Name extends keyof NodeModules>(name: Name): Promise<NodeModules[Name]> {
  return import(/* webpackIgnore: true */ /* @vite-ignore */ `node:${name}`)
}
