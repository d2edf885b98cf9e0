import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { builtInCalibration, builtInTask, readLabels, readQrels, readScores } from '../../src/eval.js'
import { encodeNpy } from '../../src/formats/npy.js'
import { rejection } from './setup.js'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'packvec-files-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

describe('labels and scores', () => {
  it('of a .txt file are its lines, with either line end and a byte order mark', async () => {
    expect(await readLabels(file('l.txt', '\uFEFFred\r\nblue\r\n'), 2)).toEqual(['red', 'blue'])
    expect(await readScores(file('s.txt', '1.5\n-2e-1\n0'), 3)).toEqual([1.5, -0.2, 0])
  })

  it('of a .csv file stand in the last column or the one named so; quotes hold commas and line breaks', async () => {
    const text = 'text,category\n"a, ""b""\nc",x\nplain,"y, z"\n'
    expect(await readLabels(file('l.csv', text), 2)).toEqual(['x', 'y, z'])
    expect(await readLabels(file('named.csv', 'label,text\nx,one\ny,two\n'), 2)).toEqual(['x', 'y'])
    expect(await readLabels(file('bare.csv', 'one,x\ntwo,y\n'), 2)).toEqual(['x', 'y'])
  })

  it('of a .tsv file may stand beside lone quotes', async () => {
    expect(await readScores(file('s.tsv', 'say "hi\t3\n"\t4\n'), 2)).toEqual([3, 4])
  })

  it('of a .npy vector are its values', async () => {
    const bytes = encodeNpy(Float32Array.of(1, 2.5), [2])
    expect(await readScores(file('s.npy', bytes), 2)).toEqual([1, 2.5])
    const { message } = await rejection(readScores(join(folder, 's.npy'), 3))
    expect(message).toMatch(/expected a vector of 3 values, got shape 2$/)
  })

  it('that do not match the rows, are ragged, unclosed, empty or no numbers are refused with the place', async () => {
    const refused = async (name: string, content: string, rows: number, read = readLabels) => {
      const error = await rejection(read(file(name, content), rows) as Promise<unknown>)
      expect(error).toMatchObject({ name: 'PackvecError', code: 'INVALID_FILE' })
      return error.message
    }
    expect(await refused('a.txt', 'x\ny\n', 4)).toMatch(/has 2 records, but the embeddings have 4 rows$/)
    expect(await refused('a.csv', 'a,x\nb\n', 2)).toMatch(/line 2/)
    expect(await refused('b.csv', 'a,x\n"b,y\n', 2)).toMatch(/[Qq]uote/)
    expect(await refused('b.txt', 'x\n\ny\n', 3)).toMatch(/the label of row 1 is empty$/)
    const scores = readScores as unknown as typeof readLabels
    expect(await refused('c.txt', '1\ntwo\n', 2, scores)).toMatch(/the score of row 1 must be a number, got "two"$/)
    expect(await rejection(readLabels(join(folder, 'none.txt'), 1))).toMatchObject({ code: 'IO' })
  })
})

describe('relevance', () => {
  it('is read with three fields or as TREC writes it, with a header or without', async () => {
    const expected = [new Map([[4, 1]]), new Map([[2, 3]])]
    expect(await readQrels(file('q.tsv', 'query-id\tcorpus-id\tscore\n0\t4\t1\n1\t2\t3\n'), 2)).toEqual(expected)
    expect(await readQrels(file('t.tsv', '0\t0\t4\t1\n1\t0\t2\t3\n'), 2)).toEqual(expected)
    expect(await readQrels(file('q.csv', '0,4,1\n1,2,3\n'), 2)).toEqual(expected)
  })

  it('of a query that is not there, or without a number, is refused', async () => {
    expect((await rejection(readQrels(file('far.tsv', '5\t1\t1\n'), 2))).message).toMatch(
      /names query 5, but the queries are 0 to 1/,
    )
    expect((await rejection(readQrels(file('word.tsv', '0\t1\thigh\n'), 2))).message).toMatch(/the grade of record 1/)
  })
})

describe('the built-in tasks', () => {
  it('read a folder of texts and arrays, whatever lies behind a pair and however the arrays are placed', async () => {
    const two = encodeNpy(Float32Array.of(1, 0, 0, 1), [2, 2])
    for (const name of ['stsb_test_a', 'stsb_test_b', 'banking77_train', 'banking77_test']) file(`${name}.npy`, two)
    file('stsb_test.tsv', 'g\tf\ty\t1\t2.500\tA "quote\tB\ng\tf\ty\t2\t5.000\tA\tB\tnote\tmore\n')
    file('banking77_train.csv', 'text,category\n"Hi, there",greeting\nBye,parting\n')
    file('banking77_test.csv', 'text,category\nCiao,parting\nHello,greeting\n')
    const data = { folder, model: 'none' }
    expect(await builtInTask('sts', data)).toMatchObject({ name: 'STS-B', scores: [2.5, 5] })
    expect(await builtInTask('classification', data)).toMatchObject({
      trainLabels: ['greeting', 'parting'],
      testLabels: ['parting', 'greeting'],
    })
    const { qrels } = (await builtInTask('retrieval', data)) as unknown as { qrels: Map<number, number>[] }
    expect(qrels).toEqual([new Map([[1, 1]]), new Map([[0, 1]])])
    expect(await builtInCalibration(data)).toBeUndefined()
  })
})
