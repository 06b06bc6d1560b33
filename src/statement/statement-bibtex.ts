import { references, type Reference } from './references.ts'
import type { Statement } from './statement.ts'

/** The entries that the LaTeX statement cites. Plain ASCII, of types that every style knows. */
export function renderBibtex({ version }: Pick<Statement, 'version'>): string {
  return references(version).map(toEntry).join('\n')
}

function toEntry({ key, type, fields }: Reference): string {
  const width = Math.max(...Object.keys(fields).map((name) => name.length))
  const lines = Object.entries(fields).map(([name, value]) => `  ${name.padEnd(width)} = {${value}},`)
  return `@${type}{${key},\n${lines.join('\n')}\n}\n`
}
