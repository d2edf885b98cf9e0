// examples/edge, from the installed package: the Worker in workerd, the fetch handler in Deno.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { serveInDeno } from '../edge/deno.mjs'
import { edgeExample, root, searchInNode } from '../edge/example.mjs'
import { serveFile } from '../edge/static-host.mjs'
import { bundleWorker, startWorker } from '../edge/worker.mjs'
import { run } from '../run-command.mjs'

export const cells = [
  { title: 'the edge examples type check with the types of their hosts', check: typecheck },
  { title: 'wrangler takes the configuration of the example Worker as it is and with a model', check: configure },
  { title: 'the example Worker gives the ids, scores and keys that Node gives', check: sameAsNode },
  { title: 'the example Worker is below 1 MB and compiles no bytes', check: smallAndPrecompiled },
  { title: 'the example Worker answers a fault with the status that says whose it is', check: faults },
  { title: 'the example Worker asks a bound model for the embedding of a text', check: model },
  {
    title: 'the example Worker opens the index once, also when the request that caused it is given up',
    check: opensOnce,
  },
  { title: 'the example Worker goes on when requests are given up in the middle of their searches', check: goesOn },
  { title: 'the example Worker searches a new index as soon as it is uploaded', check: uploaded },
  { title: 'the example fetch handler gives in Deno what Node gives, from a file and over HTTP ranges', check: inDeno },
]

const TOP_K = 5

async function typecheck(made) {
  const { folder } = await edgeExample(made)
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  for (const host of ['worker', 'fetch-handler']) await run(process.execPath, [tsc, '-p', host], { cwd: folder })
}

async function configure(made) {
  const example = await edgeExample(made)
  const { said } = await bundleWorker(example)
  assert.match(said, /env\.BUCKET \(packvec-search\)\s+R2 Bucket/)
  assert.match(said, /env\.INDEX_KEY \("corpus\.safetensors"\)/)
  assert.doesNotMatch(said, /warning|env\.AI/i)
  assert.match((await bundleWorker(example, { withModel: true })).said, /env\.AI\s+AI/)
}

async function sameAsNode(made) {
  const example = await edgeExample(made)
  const queries = example.queries.slice(0, 40)
  const expected = await searchInNode(made, example.corpus, queries, TOP_K)
  const worker = await startWorker(await bundleWorker(example), { index: example.corpus })
  try {
    await checkAnswers(worker.fetch, queries, expected)
  } finally {
    await worker.stop()
  }
}

/** Each query as JSON and as float32, all at once. */
async function checkAnswers(fetch, queries, expected) {
  await Promise.all(
    queries.map(async (query, i) => {
      assert.deepEqual(await answerOf(fetch('/search', json({ query: [...query], topK: TOP_K }))), expected[i])
      assert.deepEqual(await answerOf(fetch(`/search?topK=${TOP_K}`, floats(query))), expected[i])
    }),
  )
}

async function smallAndPrecompiled(made) {
  const example = await edgeExample(made)
  const bundle = await bundleWorker(example)
  assert.ok(bundle.bytes < 1_000_000, `the bundle has ${bundle.bytes} bytes`)
  const worker = await startWorker(bundle, { index: example.corpus })
  try {
    await answerOf(worker.fetch('/search', floats(example.queries[0])))
    const { compiled, instances } = await worker.counts()
    assert.equal(compiled, 0)
    assert.ok(instances > 0, 'the kernels run')
    // The host refuses bytes at all: otherwise this would prove nothing.
    assert.match(await (await worker.fetch('/compile')).text(), /disallowed by embedder/)
  } finally {
    await worker.stop()
  }
  return `${bundle.bytes} bytes`
}

async function faults(made) {
  const example = await edgeExample(made)
  const [query] = example.queries
  const worker = await startWorker(await bundleWorker(example))
  const check = async (init, status, code, path = '/search') => {
    const response = await worker.fetch(path, init)
    const { error } = await response.json()
    assert.deepEqual([response.status, error.code], [status, code], error.message)
    assert.ok(error.message.length > 10)
  }
  try {
    await check(floats(query), 503, 'IO')
    await worker.upload(example.corpus)
    await check(floats(query.subarray(1)), 400, 'DIMS_MISMATCH')
    await check(floats(query.map(() => Number.NaN)), 400, 'NOT_FINITE')
    await check(json({ query: [...query], topK: 0 }), 400, 'INVALID_ARGUMENT')
    await check(json({ query: [...query], topK: 101 }), 400, 'REQUEST')
    await check(json({ query: [...query], topK: '5' }), 400, 'INVALID_ARGUMENT')
    await check(json({ query: [0, '0', ...query.subarray(2)] }), 400, 'INVALID_ARGUMENT')
    for (const body of [null, {}, { query: [] }, { query: 'x' }, { query: ['0'] }, { query: [[...query]] }]) {
      await check(json(body), 400, 'REQUEST')
    }
    await check({ ...floats(query), body: new Uint8Array(0) }, 400, 'ZERO_DIMS')
    await check({ ...json(0), body: '{"query":' }, 400, 'REQUEST')
    await check({ ...floats(query), body: new Uint8Array(7) }, 400, 'REQUEST')
    await check({ ...floats(query), body: new Uint8Array(2 ** 20 + 4) }, 413, 'REQUEST')
    await check({ method: 'POST', body: 'hello' }, 415, 'REQUEST')
    await check({ method: 'DELETE' }, 405, 'REQUEST')
    await check({}, 400, 'REQUEST')
    await check({}, 404, 'REQUEST', '/')
    await check({}, 501, 'REQUEST', '/search?q=Where+is+my+card')
    // After all of it the Worker still answers.
    await checkAnswers(worker.fetch, [query], await searchInNode(made, example.corpus, [query], TOP_K))
    const damaged = await readFile(example.corpus)
    // In the codes that opening reads.
    damaged[100_000] ^= 1
    await worker.upload(damaged)
    await check(floats(example.queries[1]), 500, 'INVALID_FILE')
  } finally {
    await worker.stop()
  }
}

async function model(made) {
  const example = await edgeExample(made)
  const [embedding] = example.queries
  const [expected] = await searchInNode(made, example.corpus, [embedding], TOP_K)
  const worker = await startWorker(await bundleWorker(example, { withModel: true }), {
    index: example.corpus,
    embedding,
  })
  try {
    assert.deepEqual(await answerOf(worker.fetch(`/search?q=Where+is+my+card%3F&topK=${TOP_K}`)), expected)
  } finally {
    await worker.stop()
  }
}

async function opensOnce(made) {
  const example = await edgeExample(made)
  const queries = example.queries.slice(0, 4)
  const expected = await searchInNode(made, example.corpus, queries, TOP_K)
  const worker = await startWorker(await bundleWorker(example), { index: example.corpus })
  try {
    await worker.slowDown(300)
    await worker.abandon('/search', floats(queries[0]))
    await checkAnswers(worker.fetch, queries, expected)
    assert.equal((await worker.counts()).heads, 1)
  } finally {
    await worker.stop()
  }
}

async function goesOn(made) {
  const example = await edgeExample(made)
  const queries = example.queries.slice(20, 24)
  const expected = await searchInNode(made, example.corpus, queries, TOP_K)
  const worker = await startWorker(await bundleWorker(example), { index: example.corpus })
  try {
    await answerOf(worker.fetch('/search', floats(example.queries[0])))
    await worker.slowDown(300)
    const before = (await worker.counts()).gets
    await Promise.all(example.queries.slice(1, 17).map((query) => worker.abandon('/search', floats(query))))
    assert.ok((await worker.counts()).gets > before, 'the reads had begun')
    await checkAnswers(worker.fetch, queries, expected)
  } finally {
    await worker.stop()
  }
}

async function uploaded(made) {
  const example = await edgeExample(made)
  const queries = example.queries.slice(0, 8)
  const worker = await startWorker(await bundleWorker(example), { index: example.corpus })
  try {
    await answerOf(worker.fetch('/search', floats(queries[0])))
    await worker.upload(example.newer)
    await checkAnswers(
      worker.fetch,
      queries.slice(1),
      (await searchInNode(made, example.newer, queries, TOP_K)).slice(1),
    )
  } finally {
    await worker.stop()
  }
}

async function inDeno(made) {
  const example = await edgeExample(made)
  const queries = example.queries.slice(0, 40)
  const expected = await searchInNode(made, example.corpus, queries, TOP_K)
  const files = await serveFile(example.corpus)
  try {
    for (const index of [example.corpus, files.url]) {
      const host = await serveInDeno(example, index)
      try {
        await checkAnswers(host.fetch, queries.slice(0, 1), expected)
        const { requests, bytes } = files.sent
        assert.ok(
          index !== files.url || (requests > 2 && bytes < files.length / 2),
          `${requests} requests, ${bytes} bytes`,
        )
        await checkAnswers(host.fetch, queries, expected)
      } finally {
        await host.stop()
      }
    }
  } finally {
    files.close()
  }
}

function json(body) {
  return { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }
}

function floats(query) {
  return { method: 'POST', headers: { 'Content-Type': 'application/octet-stream' }, body: query }
}

async function answerOf(asked) {
  const response = await asked
  const answer = await response.json()
  assert.equal(response.status, 200, JSON.stringify(answer))
  return answer.results
}
