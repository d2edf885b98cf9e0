import { AskBox } from './ask.js'
import { connectBenchmark } from './bench-panel.js'
import { connectComparison } from './compare-panel.js'
import { Corpus } from './corpus.js'
import { stateFact } from './dom.js'
import { fetchJson } from './fetch-bytes.js'
import { Floats } from './floats.js'
import { LoadStatus } from './load-status.js'
import type { Manifest, TextFile } from './manifest.js'
import { connectModel } from './model-panel.js'
import { bytes, count } from './numbers.js'
import { keepForOffline } from './offline.js'
import { Questions } from './questions.js'
import { SearchView } from './search-view.js'

async function start(status: LoadStatus): Promise<void> {
  const manifest = await fetchJson<Manifest>('demo.json')
  stateFacts(manifest)
  const questions = Questions.load(manifest)
  const texts = fetchJson<TextFile>('texts.json')
  const corpus = await Corpus.open(manifest, texts, {
    onLoading: (received, total) => status.loading(received, total),
    onReady: (from) => status.ready(from, manifest.index.bitBytes),
    onCopying: (received, total) => status.copying(received, total),
    onNoCopy: (error) => status.noCopy(error),
  })
  connect(manifest, corpus, await questions)
}

function connect(manifest: Manifest, corpus: Corpus, questions: Questions): void {
  const view = new SearchView(corpus)
  const askBox = new AskBox(questions, {
    onQuestion: (question) => view.show(question),
    onUnanswered: () => view.stale(),
  })
  const floats = new Floats(manifest)
  connectModel(manifest, askBox)
  connectComparison(floats, manifest.corpusBytes, questions, view)
  connectBenchmark(floats, questions)
  askBox.begin()
}

function stateFacts({ rows, questions, index, corpusBytes }: Manifest): void {
  stateFact('rows', count(rows))
  stateFact('questions', count(questions))
  stateFact('bits', bytes(index.bitBytes))
  stateFact('floats', bytes(corpusBytes))
}

const status = new LoadStatus()
start(status).catch((error) => status.failed(error))
void keepForOffline().then((kept) => status.offline(kept))
