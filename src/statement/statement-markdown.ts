import { escapeMarkdown as escape } from './markdown-text.ts'
import {
  emissionsOf,
  emissionsRangeOf,
  energyOf,
  energyRangeOf,
  groupWords,
  hoursOf,
  nameOf,
} from './phrases.ts'
import { proseOf } from './prose.ts'
import { references } from './references.ts'
import type { Statement } from './statement.ts'
import type { Sums } from './sums.ts'

/** A statement for a page or a README: some sentences, a table of the projects, and links to what it stands on. */
export function renderMarkdown(statement: Statement): string {
  const paragraphs = proseOf(statement).map((sentences) => sentences.map(escape).join(' '))
  const blocks = [
    '## Energy use and emissions of computing',
    ...paragraphs,
    table(statement),
    sources(statement),
  ]
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`
}

function table({ total, groups, by }: Statement): string {
  const lines = groups.map((group) => toLine(escape(nameOf(group.name, by)), group))
  return [
    `| ${by === 'none' ? '' : groupWords[by].one} | runs | hours | energy | energy, low to high | emissions | emissions, low to high |`,
    '| :------ | ---: | ----: | -----: | ------------------: | --------: | ---------------------: |',
    ...lines,
    ...(groups.length === 1 ? [] : [toLine('**all**', total)]),
  ].join('\n')
}

function toLine(name: string, sums: Sums): string {
  const cells = [
    String(sums.runs),
    hoursOf(sums),
    energyOf(sums),
    energyRangeOf(sums) ?? '',
    emissionsOf(sums),
    emissionsRangeOf(sums) ?? '',
  ]
  return `| ${name} | ${cells.join(' | ')} |`
}

function sources({ version }: Statement): string {
  const links = references(version).flatMap(({ fields: { title = '', url } }) => {
    const text = escape(title.replaceAll(/[{}]/g, ''))
    return url === undefined ? [] : [`[${text}](${url})`]
  })
  return `Recorded with CodeCarbon, summed up by CodeCarbon for Node.js ${escape(version)}. ${links.join(', ')}.`
}
