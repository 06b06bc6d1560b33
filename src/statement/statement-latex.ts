import { formatMass } from '../exporters/text/quantity.ts'
import { characterMacro, escapeLatex as escape } from './latex-text.ts'
import { energyOf, groupWords, hoursOf, nameOf } from './phrases.ts'
import { proseOf } from './prose.ts'
import { references } from './references.ts'
import type { Statement } from './statement.ts'
import type { Sums } from './sums.ts'

/**
 * A whole `\subsection` to `\input` into an article. It needs no package, pdfLaTeX, XeLaTeX and LuaLaTeX read it, and what it cites is what
 * `--format bibtex` prints.
 */
export function renderLatex(statement: Statement): string {
  const { groups, version } = statement
  const paragraphs = proseOf(statement).map((sentences) => sentences.map(toLatex).join('\n'))
  const body = [
    String.raw`\subsection{Energy use and emissions of computing}`,
    `${method(version)}\n${paragraphs.join('\n\n')}`,
    ...(groups.length > 1 ? [table(statement)] : []),
  ].join('\n\n')
  const macro = body.includes(String.raw`\codecarbonchar`) ? `${characterMacro}\n` : ''
  return `% Written by codecarbon ${version} for Node.js. Its citations: codecarbon report --format bibtex\n${macro}${body}\n`
}

function method(version: string): string {
  const [codecarbon, thisPackage, ...papers] = references(version).map(({ key }) => key)
  return [
    String.raw`Energy and emissions were recorded with CodeCarbon~\cite{${codecarbon}},`,
    String.raw`summed up with CodeCarbon for Node.js~\cite{${thisPackage}}`,
    String.raw`and accounted for as energy times carbon intensity~\cite{${papers.join(',')}}.`,
  ].join('\n')
}

/** The name may take several lines; the figures stand to the right, and all of it in one column of two. */
function table({ total, groups, by }: Statement): string {
  const { one } = groupWords[by]
  return [
    String.raw`\begin{center}\small\setlength{\tabcolsep}{4pt}`,
    String.raw`\begin{tabular}{@{}p{0.36\linewidth}rrrr@{}}`,
    String.raw`\hline`,
    line(`${strut}${one.slice(0, 1).toUpperCase()}${one.slice(1)}`, [
      'Runs',
      'Hours',
      'Energy',
      toLatex('CO2eq'),
    ]),
    String.raw`\hline`,
    ...groups.map((group, index) =>
      line(`${index === 0 ? strut : ''}${toLatex(nameOf(group.name, by))}`, cells(group)),
    ),
    String.raw`\hline`,
    line(`${strut}All`, cells(total)),
    String.raw`\hline`,
    String.raw`\end{tabular}`,
    String.raw`\end{center}`,
  ].join('\n')
}

/** Keeps a row clear of the line above it. */
const strut = String.raw`\rule{0pt}{2.6ex}`

const line = (name: string, figures: readonly string[]): string =>
  String.raw`\raggedright ${name} & ${figures.join(' & ')} \tabularnewline`

const cells = (sums: Sums): string[] =>
  [String(sums.runs), hoursOf(sums), energyOf(sums), massOf(sums)].map(toLatex)

const massOf = ({ emissions }: Sums): string =>
  emissions.value === undefined ? 'unknown' : formatMass(emissions.value)

/** Escaped, with a number held to its unit, and the chemical formula as it is written. */
const toLatex = (text: string): string =>
  escape(text)
    .replaceAll(/(\d) (?=(?:[Mkm]?(?:Wh?|J|g)|t|\\%|\\ensuremath\{\\mu\}g|hours|runs?)(?!\w))/g, '$1~')
    .replaceAll('CO2eq', String.raw`CO$_2$eq`)
