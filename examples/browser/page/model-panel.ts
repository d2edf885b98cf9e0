import type { AskBox } from './ask.js'
import { byId } from './dom.js'
import type { Manifest } from './manifest.js'
import { Model } from './model.js'
import { bytes } from './numbers.js'

const button = byId('load-model', HTMLButtonElement)
const text = byId('model-text', HTMLElement)
const bar = byId('model-bar', HTMLProgressElement)

/** The button that downloads the model, which says beforehand how much that is. */
export function connectModel(manifest: Manifest, askBox: AskBox): void {
  const { hosted, bytes: modelBytes, runtimeBytes } = manifest.model
  const total = modelBytes + runtimeBytes
  const from = hosted ? 'this site' : 'huggingface.co'
  const runtime = hosted ? `its runtime (${bytes(runtimeBytes)})` : `its runtime (${bytes(runtimeBytes)}, this site)`
  text.textContent =
    `To search in your own words: all-MiniLM-L6-v2 (${bytes(modelBytes)}, ${from}) and ${runtime}. ` +
    'Once loaded it is kept; what you type stays here.'
  button.addEventListener('click', async () => {
    button.disabled = true
    bar.hidden = false
    try {
      const model = await Model.load(manifest, (received) => {
        bar.value = Math.min(1, received / total)
        text.textContent = `Loading the model: ${bytes(received)} of about ${bytes(total)}`
      })
      text.textContent = 'The model is loaded: type any words.'
      button.textContent = 'Model loaded'
      askBox.useModel(model)
    } catch (error) {
      text.textContent = advise(error as Error, manifest)
      button.disabled = false
    } finally {
      bar.hidden = true
    }
  })
}

function advise({ message }: Error, { model }: Manifest): string {
  if (typeof WebAssembly !== 'object') {
    return 'The model needs WebAssembly, which this browser lacks: use the real questions, or another browser.'
  }
  const again = model.hosted
    ? 'Check the connection and press again'
    : 'Check the connection and whether something blocks huggingface.co, then press again; or build the page with ' +
      'PACKVEC_MODELS set, so that it brings the model along'
  return `The model could not be loaded (${message.replace(/\.$/, '')}). ${again}. The real questions work without it.`
}
