import { USUAL } from '../codes/registry.js'
import type { Cache } from './cache.js'
import type { FloatRows } from './floats.js'
import { type Spectrum, spectrumOfRows } from './spectrum.js'
import { findRotation, fitTechnique, RESULTS_VERSION } from './technique.js'
import { bitsOf, isLossless, parseTechnique, type Technique, twinOf } from './technique-names.js'
import type { EvaluationReport } from './types.js'

/** As many lines as a plot can tell apart. */
const MOST = 8

/** Singular values of the calibration embeddings, as they are and decoded from the codes of some techniques. */
export async function measureSpectra(
  calibration: FloatRows,
  techniques: readonly Technique[],
  { cache, progress }: { readonly cache: Cache; readonly progress: (message: string) => void },
  seed: number,
): Promise<EvaluationReport['spectra']> {
  const spectra: { technique: string; spectrum: Spectrum }[] = []
  for (const technique of chooseTechniques(techniques)) {
    const { name } = technique
    const parts = [RESULTS_VERSION, name, isLossless(technique) ? 0 : seed, calibration.dims, calibration.data]
    const { value: spectrum } = await cache.get(['spectrum', ...parts], async () => {
      progress(`singular values: ${name}`)
      if (isLossless(technique)) return spectrumOfRows(calibration)
      const fitted = fitTechnique(
        technique,
        calibration,
        await findRotation(technique.rotation, calibration, seed, cache),
      )
      return spectrumOfRows(fitted.decode(fitted.encode(calibration)))
    })
    spectra.push({ technique: name, spectrum })
  }
  return spectra
}

/** float32, the codes alone, then the smallest of those after the svd rotation; a scale changes next to nothing. */
function chooseTechniques(techniques: readonly Technique[]): Technique[] {
  const plain = techniques.filter((one) => !one.scale && !isLossless(one) && twinOf(one.code) === one.code)
  const first = plain.filter(({ rotation }) => rotation === 'none')
  const second = plain.filter(({ rotation }) => rotation === 'svd').sort((a, b) => bitsOf(a) - bitsOf(b))
  return [parseTechnique(USUAL.exact), ...first, ...second].slice(0, MOST)
}
