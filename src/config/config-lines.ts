import { ConfigError } from '../core/errors.ts'
import { nearest } from './nearest.ts'

/** One key with its value, as it stands in a file. */
export interface Line {
  readonly key: string
  readonly value: string
  readonly line: number
  /** Where its value ends. */
  readonly end: number
  /** How far the key is indented: a line that is further in goes on with its value. */
  readonly indent: number
}

/** What the lines of a file say about a section. Numbers of lines begin at 1. */
export interface Lines {
  readonly own: readonly Line[]
  /** Those that hold in every section and that this one does not say otherwise. */
  readonly defaults: readonly Line[]
  /** Line of the section's last heading; `undefined` where it has none. */
  readonly heading: number | undefined
  readonly warnings: readonly string[]
}

/** Options of this section hold in all others of the file, unless those say otherwise. */
const defaultsName = 'DEFAULT'

/**
 * Finds the keys of a section, as Python's configparser does, in a text without a byte order mark.
 *
 * @throws ConfigError for a line of the section that says nothing
 */
export function readLines(text: string, path: string, sectionName: string): Lines {
  const bySection = new Map<string, Line[]>([
    [defaultsName, []],
    [sectionName, []],
  ])
  const warnings: string[] = []
  let section: string | undefined
  let heading: number | undefined
  for (const [index, raw] of text.split(/\r\n|\n|\r/).entries()) {
    const line = index + 1
    const words = raw.trim()
    if (words === '') continue
    const entries = bySection.get(section ?? '')
    const last = entries?.at(-1)
    const indent = raw.length - raw.trimStart().length
    const mayGoOn = last?.end === line - 1 && indent > last.indent
    if (/^[#;]/.test(words)) {
      // A comment within a value that goes on is no end of it.
      if (mayGoOn) entries?.splice(-1, 1, { ...last, end: line })
      continue
    }
    if (mayGoOn) {
      entries?.splice(-1, 1, { ...last, value: `${last.value} ${words}`.trim(), end: line })
      continue
    }
    const header = /^\[([^\]]*)\]\s*(?:[#;].*)?$/.exec(words)?.[1]?.trim()
    if (header !== undefined) {
      section = header
      if (section === sectionName) heading = line
      if (!bySection.has(section) && nearest(section, [sectionName]) !== undefined) {
        warnings.push(`${path}:${line}: [${section}] is not read; did you mean [${sectionName}]?`)
      }
      continue
    }
    if (section !== undefined && entries === undefined) continue
    const [, key = '', value = ''] = /^([^=:]+?)\s*[=:]\s*(.*)$/.exec(words) ?? []
    if (key === '') {
      // Only its first word: what follows may be a secret.
      throw new ConfigError(
        `${path}:${line}: expected key = value, got a line that begins with "${words.split(/\s/, 1)[0]?.slice(0, 30)}"`,
      )
    }
    if (entries === undefined) {
      warnings.push(`${path}:${line}: ${key} stands outside of [${sectionName}] and is not read`)
      continue
    }
    entries.push({ key, value, line, end: line, indent })
  }
  const own = bySection.get(sectionName) ?? []
  const keys = new Set(own.map(({ key }) => key.toLowerCase()))
  const defaults = (bySection.get(defaultsName) ?? []).filter(({ key }) => !keys.has(key.toLowerCase()))
  return { own, defaults, heading, warnings }
}

/** A value wholly in quotes is what they enclose. */
export const unquote = (value: string): string =>
  /^"([^"]*)"$/.exec(value)?.[1] ?? /^'([^']*)'$/.exec(value)?.[1] ?? value
