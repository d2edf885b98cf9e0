import * as pools from 'packvec/pool'
import { data } from './data.js'
import { runPoolScenario } from './scenario.js'

export function runPool(options) {
  return runPoolScenario(pools, data, options)
}
