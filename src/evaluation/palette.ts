import type { SymbolType } from 'd3-shape'
import { symbolCircle, symbolCross, symbolDiamond, symbolSquare, symbolStar, symbolTriangle, symbolWye } from 'd3-shape'
import type { Precision } from '../codes/precision.js'
import type { RotationName } from './technique-names.js'

/**
 * Colours that colour-blind readers tell apart: Okabe & Ito, "Color Universal Design", 2008, without its yellow, which
 * is too pale for lines on white. `ink` is the colour of text, black or white as the page is.
 */
const COLOURS = ['ink', '#0072b2', '#d55e00', '#009e73', '#cc79a7', '#56b4e9', '#e69f00', '#7f7f7f'] as const
const DASHES = ['', '8 4', '2 3', '10 3 2 3', '16 4', '1 5', '10 3 2 3 2 3', '5 2'] as const
const SYMBOLS: readonly SymbolType[] = [
  ...[symbolCircle, symbolSquare, symbolTriangle, symbolDiamond, symbolCross, symbolStar, symbolWye],
]

/** A line that is known by its colour, its dashes and its marks, so that a grey print will do. */
export interface LineStyle {
  readonly colour: string
  readonly dash: string
  readonly symbol: SymbolType
}

export function lineStyle(i: number): LineStyle {
  return {
    colour: COLOURS[i % COLOURS.length]!,
    dash: DASHES[i % DASHES.length]!,
    symbol: SYMBOLS[i % SYMBOLS.length]!,
  }
}

const ROTATIONS: readonly RotationName[] = ['none', 'svd', 'hadamard', 'random', 'itq']

export function rotationStyle(rotation: RotationName): LineStyle {
  return lineStyle(ROTATIONS.indexOf(rotation))
}

export const ROTATION_NAMES: Readonly<Record<RotationName, string>> = {
  none: 'not rotated',
  svd: 'svd (rotated-)',
  hadamard: 'hadamard',
  random: 'random',
  itq: 'itq',
}

export function codeSymbol(code: Precision): SymbolType {
  const marks: Partial<Record<Precision, SymbolType>> = {
    float32: symbolWye,
    int8: symbolSquare,
    uint8: symbolSquare,
    int4: symbolDiamond,
    quaternary: symbolCross,
    ternary: symbolTriangle,
    binary: symbolCircle,
    ubinary: symbolCircle,
  }
  return marks[code] ?? symbolStar
}
