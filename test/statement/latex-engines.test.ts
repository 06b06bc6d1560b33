import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { escapeLatex } from '../../src/statement/latex-text.ts'
import { renderBibtex } from '../../src/statement/statement-bibtex.ts'
import { renderLatex } from '../../src/statement/statement-latex.ts'
import { temporaryFolder } from '../fixtures/programs/temporary-folder.ts'
import { mixedFiles, mixedPath, statementOf, writeRows } from './files.ts'

const isHere = (program: string): boolean => spawnSync(program, ['--version']).status === 0

/** How each engine is called; tectonic has a way of its own. */
const engines = [
  ['pdflatex', ['-interaction=nonstopmode', '-halt-on-error', '-no-shell-escape']],
  ['xelatex', ['-interaction=nonstopmode', '-halt-on-error', '-no-shell-escape']],
  ['tectonic', ['--keep-logs']],
] as const

/** Compiles an article whose body is this; the log of the engine. */
function compile(engine: string, args: readonly string[], body: string, preamble = ''): string {
  const folder = temporaryFolder()
  const article = String.raw`\documentclass{article}${preamble}\begin{document}${'\n'}\section{Appendix}${'\n'}${body}${'\n'}\end{document}`
  writeFileSync(join(folder, 'article.tex'), article)
  writeFileSync(join(folder, 'statement.bib'), renderBibtex({ version: '0.1.0' }))
  const { status, stdout } = spawnSync(engine, [...args, 'article.tex'], { cwd: folder, encoding: 'utf8' })
  expect({ status, stdout: status === 0 ? '' : stdout }).toEqual({ status: 0, stdout: '' })
  return readFileSync(join(folder, 'article.log'), 'latin1')
}

const bibliography = String.raw`\bibliographystyle{plain}\bibliography{statement}`
const everyLatinLetter = Array.from({ length: 0x24f - 0x20 }, (_, index) =>
  String.fromCodePoint(0x20 + index),
)
const nastyNames = [
  String.raw`50% _off_ #1 & {naïve} 实验 🚀 \input{x}`,
  '[2ex] a row that begins with an option',
  `"quotes" 'single' \`back\` <<angle>> --- ,, ?\` !\` @ * ~ ^ | \\\\ \\end{tabular} %`,
  'Ελληνικά кириллица עברית العربية ｆｕｌｌ e\u0301 \u200B\u{1F468}\u200D\u{1F469} ą Þ ð',
  everyLatinLetter.join(''),
]

describe.each(engines)('%s', (engine, args) => {
  const found = isHere(engine)

  it.skipIf(!found)('compiles the statement of the mixed files', async () => {
    const latex = renderLatex(await statementOf(mixedFiles.map(mixedPath), { offsetPercent: 50 }))
    const log = compile(engine, args, `${latex}\n${bibliography}`)
    expect(log).not.toMatch(/^!|^Overfull|Missing character/m)
  })

  it.skipIf(!found)('compiles whatever a project is called', async () => {
    const rows = nastyNames.map((name) => ({
      project_name: name,
      duration: 1,
      emissions: 1,
      energy_consumed: 1,
    }))
    const path = writeRows(join(temporaryFolder(), 'emissions.csv'), rows)
    const log = compile(engine, args, renderLatex(await statementOf([path])))
    expect(log).not.toMatch(/^!|Missing character/m)
  })

  it.skipIf(!found)('lets a document print unusual letters in its own way', () => {
    const preamble = String.raw`\newcommand{\codecarbonchar}[3]{\typeout{code point #2}}`
    expect(compile(engine, args, escapeLatex('实'), preamble)).toContain('code point 23454')
  })
})
