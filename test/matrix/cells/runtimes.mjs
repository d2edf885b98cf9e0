// Node, Deno and Bun: the scenario from the installed package, in one thread and in a pool.
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { checkCore, checkPool, parseOutcome } from '../outcome.mjs'
import { run } from '../run-command.mjs'
import { toolBin } from '../tools.mjs'

const NODES = ['20', '22', '24', '26']

export const cells = [
  ...NODES.map((version) => ({ title: `Node ${version} gives the known results`, check: onNode(version) })),
  ...NODES.slice(1).map((version) => ({
    title: `Node ${version} takes the package by require`,
    check: required(version),
  })),
  { title: 'Node 20.18, which cannot require modules, says so and names the file', check: refusedRequire },
  { title: 'Deno gives the known results', check: onDeno },
  { title: 'Deno runs the core without any permission', check: withoutPermission },
  { title: 'Bun gives the known results', check: onBun },
  { title: 'Node and Bun end although a pool is forgotten', check: forgotten },
]

async function checkAll(command, args, cwd) {
  const { core, pool, module } = parseOutcome(await run(command, args, { cwd }))
  checkCore(core)
  checkPool(pool)
  checkCore(module)
}

function onNode(version) {
  return async ({ project }) => checkAll(await toolBin(`node-${version}`, 'node'), ['main.js'], project)
}

async function onDeno({ project }) {
  await checkAll(await toolBin('deno', 'deno'), ['run', '--no-prompt', '--no-remote', '-R=.', 'main.js'], project)
}

async function withoutPermission({ project }) {
  const deno = await toolBin('deno', 'deno')
  checkCore(parseOutcome(await run(deno, ['run', '--no-prompt', '--no-remote', 'core-only.js'], { cwd: project })).core)
  // The same flags refuse what a core must not do: otherwise the run above would prove nothing.
  for (const forbidden of [
    "Deno.readTextFileSync('data.js')",
    "await fetch('http://127.0.0.1:8123')",
    'Deno.env.toObject()',
  ]) {
    await writeFile(join(project, 'forbidden.js'), forbidden)
    await assert.rejects(
      run(deno, ['run', '--no-prompt', '--no-remote', 'forbidden.js'], { cwd: project }),
      /NotCapable/,
    )
  }
}

async function onBun({ project }) {
  await checkAll(await toolBin('bun', 'bun'), ['main.js'], project)
}

async function forgotten({ project }) {
  await writeFile(
    join(project, 'forgotten.js'),
    `import { createPool } from 'packvec/pool'
    const pool = await createPool({ workers: 2 })
    const index = await pool.build([[1, 2], [3, 4]], { onWarning() {} })
    console.log(JSON.stringify([...(await index.search([1, 1])).ids]))`,
  )
  for (const command of [await toolBin('node-24', 'node'), await toolBin('bun', 'bun')]) {
    assert.deepEqual(parseOutcome(await run(command, ['forgotten.js'], { cwd: project, timeout: 60_000 })), [1, 0])
  }
}

const REQUIRE = `
  const { QuantizedIndex, backend } = require('packvec')
  const { svdRotation } = require('packvec/rotations')
  const rows = [[1, 2], [3, 4], [-1, 0.5]]
  const index = QuantizedIndex.build(rows, { coarse: 'float32', rotation: svdRotation(rows) })
  console.log(JSON.stringify([backend(), [...index.search([1, 1], { topK: 1 }).ids]]))
`

function required(version) {
  return async ({ project }) => {
    await writeFile(join(project, 'require.cjs'), REQUIRE)
    const output = await run(await toolBin(`node-${version}`, 'node'), ['require.cjs'], { cwd: project })
    assert.deepEqual(parseOutcome(output), ['wasm', [1]])
  }
}

async function refusedRequire({ project }) {
  await writeFile(join(project, 'require.cjs'), REQUIRE)
  const running = run(await toolBin('node-20.18', 'node'), ['require.cjs'], { cwd: project })
  await assert.rejects(running, /require\(\) of ES Module .*packvec\/dist\/index\.js.*not supported/)
}
