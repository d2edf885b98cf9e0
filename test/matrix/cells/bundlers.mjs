// Bundlers with what they do by default: the scenario bundled from the installed package, for Node and for browsers.
import { cp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build as esbuild } from 'esbuild'
import { openPage } from '../browser.mjs'
import { checkCore, checkPool, parseOutcome } from '../outcome.mjs'
import { cellFolder } from '../project.mjs'
import { run } from '../run-command.mjs'
import { toolFile } from '../tools.mjs'

const BUNDLERS = {
  esbuild: { forNode: esbuildForNode, forPages: esbuildForPages, findsWorker: false },
  Rollup: { forNode: rollup('bundled.js'), forPages: rollup('page.js', 'worker.js'), findsWorker: false },
  Vite: { forNode: viteForNode, forPages: viteForPages, findsWorker: true },
  webpack: { forNode: webpackForNode, forPages: webpackForPages, findsWorker: true },
}

export const cells = Object.entries(BUNDLERS).flatMap(([name, bundler]) => [
  { title: `bundled for Node by ${name} it gives the known results`, check: (made) => inNode(name, bundler, made) },
  { title: `bundled for browsers by ${name} it gives the known results`, check: (made) => onPage(name, bundler, made) },
])

async function inNode(name, { forNode }, made) {
  const folder = await cellFolder(made, `${name}-node`)
  const file = (await forNode(made.project, folder)) ?? 'bundled.js'
  // No bundler follows the file that Node starts as a thread.
  await copyPoolWorker(made, folder)
  const { core, pool } = parseOutcome(await run(process.execPath, [file], { cwd: folder }))
  checkCore(core)
  checkPool(pool)
}

async function onPage(name, { forPages, findsWorker }, made) {
  const folder = await cellFolder(made, `${name}-page`)
  await forPages(made.project, folder)
  if (!findsWorker) await copyPoolWorker(made, folder)
  const { core, worker, pool } = await openPage('chromium', folder)
  checkCore(core)
  checkCore(worker)
  checkPool(pool)
}

function copyPoolWorker({ installed }, folder) {
  return cp(join(installed, 'dist/pool-worker.js'), join(folder, 'pool-worker.js'))
}

const ESBUILD = { bundle: true, format: 'esm', minify: true, logLevel: 'warning' }

async function esbuildForNode(project, outdir) {
  await esbuild({ ...ESBUILD, entryPoints: [join(project, 'bundled.js')], platform: 'node', outdir })
}

async function esbuildForPages(project, outdir) {
  await esbuild({ ...ESBUILD, entryPoints: ['page.js', 'worker.js'].map((name) => join(project, name)), outdir })
  await cp(join(project, 'index.html'), join(outdir, 'index.html'))
}

/** Rollup resolves no package by itself: the plugin is the one its documentation names. */
function rollup(...entries) {
  return async (project, dir) => {
    const { rollup } = await importTool('rollup', 'rollup')
    const { nodeResolve } = await importTool('rollup', '@rollup/plugin-node-resolve')
    const input = entries.map((name) => join(project, name))
    const bundle = await rollup({ input, plugins: [nodeResolve()], onwarn: failOnWarning })
    await bundle.write({ dir, format: 'es' })
    await bundle.close()
    await cp(join(project, 'index.html'), join(dir, 'index.html'))
  }
}

/** `node:` modules are left to Node; anything else that is not resolved would be a defect. */
function failOnWarning(warning) {
  if (warning.code === 'UNRESOLVED_IMPORT' && warning.exporter?.startsWith('node:')) return
  throw new Error(warning.message)
}

async function viteForNode(root, outDir) {
  const { build } = await importTool('vite', 'vite')
  const options = { ssr: 'bundled.js', outDir, emptyOutDir: true }
  await build({ root, configFile: false, logLevel: 'error', build: options, ssr: { noExternal: true } })
}

async function viteForPages(root, outDir) {
  const { build } = await importTool('vite', 'vite')
  await build({ root, configFile: false, logLevel: 'error', build: { outDir, emptyOutDir: true } })
}

async function webpackForNode(project, path) {
  await webpack({ target: 'node', entry: join(project, 'bundled.js'), output: { path, filename: 'bundled.cjs' } })
  return 'bundled.cjs'
}

async function webpackForPages(project, path) {
  await webpack({ entry: join(project, 'page.js'), output: { path } })
  await writeFile(join(path, 'index.html'), '<!doctype html><title>packvec</title><script src="main.js"></script>')
}

async function webpack(config) {
  const { default: compile } = await importTool('webpack', 'webpack')
  // Only the hints about the size of the data are left out.
  const compiler = compile({ mode: 'production', performance: false, ...config })
  const stats = await new Promise((resolve, reject) => {
    compiler.run((error, stats) => (error ? reject(error) : resolve(stats)))
  })
  await new Promise((resolve) => compiler.close(resolve))
  if (stats.hasErrors() || stats.hasWarnings()) throw new Error(stats.toString())
}

async function importTool(name, specifier) {
  return import(pathToFileURL(await toolFile(name, specifier)).href)
}
