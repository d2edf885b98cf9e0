import { join } from 'node:path'
import ts from 'typescript'

const ROOT = join(import.meta.dirname, '..', '..')

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  lib: ['lib.es2022.d.ts', 'lib.dom.d.ts', 'lib.dom.asynciterable.d.ts', 'lib.esnext.disposable.d.ts'],
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  moduleDetection: ts.ModuleDetectionKind.Force,
  typeRoots: [join(ROOT, 'node_modules/@types')],
  types: ['node'],
  strict: true,
  skipLibCheck: true,
  noEmit: true,
}

const parsed = new Map<string, ts.SourceFile | undefined>()

/** What the compiler says of each file, with the published types of the package; an empty list where all is well. */
export function checkTypes(files: readonly string[]): Map<string, string[]> {
  const host = ts.createCompilerHost(OPTIONS)
  const { getSourceFile } = host
  // The types of the platform and of the package are read once for all pages.
  host.getSourceFile = (name, ...rest) => {
    if (!name.endsWith('.d.ts')) return getSourceFile(name, ...rest)
    if (!parsed.has(name)) parsed.set(name, getSourceFile(name, ...rest))
    return parsed.get(name)
  }
  const found = new Map<string, string[]>(files.map((file) => [file, []]))
  for (const { file, start = 0, messageText } of ts.getPreEmitDiagnostics(ts.createProgram(files, OPTIONS, host))) {
    const line = file === undefined ? 0 : file.getLineAndCharacterOfPosition(start).line + 1
    const message = `line ${line}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`
    const list = found.get(file?.fileName ?? '')
    if (list === undefined) throw new Error(`${file?.fileName}: ${message}`)
    list.push(message)
  }
  return found
}
