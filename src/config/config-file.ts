import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type * as Ini from 'ini'
import { ConfigError, messageOf } from '../core/errors.ts'
import { ownRequire } from '../package-file.ts'
import { nearest } from './nearest.ts'
import type { Entry } from './option-source.ts'

/** What a configuration file says, and what is odd about it. */
export interface ConfigFile {
  readonly path: string
  readonly entries: readonly Entry[]
  readonly warnings: readonly string[]
}

/** Options of this section hold in all others of the file, unless those say otherwise. */
const defaultsName = 'DEFAULT'
/** A thousand times what anyone writes by hand. */
const maxBytes = 1024 * 1024

/**
 * Reads a section of an INI file as CodeCarbon reads its own. `undefined` where there is no file.
 *
 * @throws ConfigError for a file that cannot be read, is no text, or has a line that says nothing
 */
export function readConfigFile(path: string, section = 'codecarbon'): ConfigFile | undefined {
  try {
    const text = readText(path)
    return text === undefined ? undefined : parseConfig(text, path, section)
  } catch (error) {
    if (!(error instanceof ForeignFolder)) throw error
    const warning = `${path}: not looked at, since this user may not enter that folder`
    return { path, entries: [], warnings: [warning] }
  }
}

/** A home that the environment names but that is another user's, as after `su` or in a container: no reason to stop. */
class ForeignFolder extends Error {}

function mayEnter(folder: string): boolean {
  try {
    statSync(`${folder}/.`)
    return true
  } catch {
    return false
  }
}

/**
 * Reads INI as Python's configparser does: keys in any case, `=` or `:`, a comment only where a line begins with `#` or `;`, a value that goes
 * on in indented lines. Each value is handed to the `ini` package with those characters guarded that it would cut at or take for more.
 */
export function parseConfig(text: string, path: string, section = 'codecarbon'): ConfigFile {
  const lines = readLines(text.replace(/^\uFEFF/, ''), path, section)
  // Not at every start, but only where there is a file. Not `import()`, for a constructor cannot wait.
  const ini = ownRequire()('ini') as typeof Ini
  const entries = lines.entries.map(({ key, value, line }) => ({
    key: key.toLowerCase(),
    // Its key is ours: the package makes lists, sections and properties of some names.
    value: takeApart(ini, unquote(value)),
    where: `${path}:${line}: ${key}`,
    path,
    line,
  }))
  return { path, entries, warnings: lines.warnings }
}

interface Line {
  readonly key: string
  readonly value: string
  readonly line: number
  /** Where its value ends. */
  readonly end: number
  /** How far the key is indented: a line that is further in goes on with its value. */
  readonly indent: number
}

function readLines(text: string, path: string, sectionName: string): { entries: Line[]; warnings: string[] } {
  const bySection = new Map<string, Line[]>([
    [defaultsName, []],
    [sectionName, []],
  ])
  const warnings: string[] = []
  let section: string | undefined
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
  return { entries: [...defaults, ...own], warnings }
}

/** A value wholly in quotes is what they enclose. */
const unquote = (value: string): string =>
  /^"([^"]*)"$/.exec(value)?.[1] ?? /^'([^']*)'$/.exec(value)?.[1] ?? value

/** The value as the `ini` package reads it, which makes booleans of some words. */
function takeApart(ini: typeof Ini, text: string): string {
  const { value } = ini.parse(`value = ${guard(text)}`)
  return value === undefined ? text : String(value)
}

/** Has the `ini` package take a text as it stands: it cuts at `;` and `#`, and reads what is in quotes as JSON. */
function guard(text: string): string {
  const isQuoted = /^["']/.test(text) && text.endsWith(text.charAt(0))
  return isQuoted || text.trim() !== text ? JSON.stringify(text) : text.replace(/[\\;#]/g, String.raw`\$&`)
}

function readText(path: string): string | undefined {
  let bytes: Buffer
  try {
    bytes = readSome(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    if (code === 'EACCES' && !mayEnter(dirname(path))) throw new ForeignFolder()
    throw new ConfigError(`${path}: this configuration file cannot be read: ${messageOf(error)}`, {
      cause: error,
    })
  }
  if (bytes.length > maxBytes) {
    throw new ConfigError(`${path}: this configuration file is larger than ${maxBytes / 1024} KiB`)
  }
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    if (!text.includes('\0')) return text
  } catch {
    // Not UTF-8: told below.
  }
  throw new ConfigError(`${path}: this configuration file is no text in UTF-8`)
}

/** The file up to one byte more than it may have; a pipe or a device that never ends is no file. */
function readSome(path: string): Buffer {
  const file = openSync(path, 'r')
  try {
    const stat = fstatSync(file)
    if (stat.isDirectory()) throw new Error('it is a folder')
    if (!stat.isFile()) throw new Error('it is no regular file')
    const bytes = Buffer.alloc(Math.min(stat.size, maxBytes + 1))
    return bytes.subarray(0, readSync(file, bytes, 0, bytes.length, 0))
  } finally {
    closeSync(file)
  }
}
