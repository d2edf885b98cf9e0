import type { Data } from './scenario.js'

export function scenarioData(): Promise<Data>
