import * as core from 'packvec'
import * as rotations from 'packvec/rotations'
import * as storage from 'packvec/storage'
import { data } from './data.js'
import { runScenario } from './scenario.js'

export { init } from 'packvec'

export function runCore() {
  return runScenario({ core, rotations, storage }, data)
}
