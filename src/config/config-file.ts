import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type * as Ini from 'ini'
import { ConfigError, messageOf } from '../core/errors.ts'
import { ownRequire } from '../package-file.ts'
import { readLines, unquote } from './config-lines.ts'
import type { Entry } from './option-source.ts'

/** What a configuration file says, and what is odd about it. */
export interface ConfigFile {
  readonly path: string
  readonly entries: readonly Entry[]
  readonly warnings: readonly string[]
}

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

/**
 * The text of a configuration file, for whoever changes it. `undefined` where there is none.
 *
 * @throws ConfigError for a file that cannot be read or is no text
 */
export function readConfigText(path: string): string | undefined {
  try {
    return readText(path)
  } catch (error) {
    if (!(error instanceof ForeignFolder)) throw error
    throw new ConfigError(`${path}: this user may not enter that folder`, { cause: error })
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
  const entries = [...lines.defaults, ...lines.own].map(({ key, value, line }) => ({
    key: key.toLowerCase(),
    // Its key is ours: the package makes lists, sections and properties of some names.
    value: takeApart(ini, unquote(value)),
    where: `${path}:${line}: ${key}`,
    path,
    line,
  }))
  return { path, entries, warnings: lines.warnings }
}

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
