import { readFileSync } from 'node:fs'
import { dirname, isAbsolute, join } from 'node:path'
import { ConfigError, messageOf } from '../core/errors.ts'
import type { TlsSettings } from '../http/http-request.ts'

/** Who asks a Prometheus, and how. Holds secrets: nothing of it may be printed but names of headers. */
export interface HttpConfig {
  readonly headers: Readonly<Record<string, string>>
  readonly tls: TlsSettings
}

type Fields = Readonly<Record<string, unknown>>

/**
 * Reads a file in the form of Prometheus' `http_config`, as `promtool query --http.config.file` does: `basic_auth`, `authorization`,
 * `bearer_token`, `tls_config`, `http_headers`. Relative paths are from its folder.
 * @throws ConfigError naming the file, what was wrong and what was expected; no message holds a value
 */
export async function readHttpConfig(path: string): Promise<HttpConfig> {
  const { parse } = await import('yaml')
  let root: unknown
  try {
    root = parse(readFileSync(path, 'utf8'), { prettyErrors: false })
  } catch (error) {
    throw new ConfigError(`--http-config-file ${path}: ${readingError(error)}`, { cause: error })
  }
  try {
    return toHttpConfig(root, dirname(path))
  } catch (error) {
    throw new ConfigError(`--http-config-file ${path}: ${messageOf(error)}`, { cause: error })
  }
}

/** What YAML says of a mistake quotes the line, which may be a password. */
const readingError = (error: unknown): string => {
  const { code, name } = error as NodeJS.ErrnoException
  if (code === 'ENOENT') return 'there is no such file'
  return name.startsWith('YAML') ? 'it is no YAML' : messageOf(error)
}

function toHttpConfig(root: unknown, folder: string): HttpConfig {
  const fields = fieldsOf(root ?? {}, 'the file')
  onlyKnown(
    fields,
    ['basic_auth', 'authorization', 'bearer_token', 'bearer_token_file', 'tls_config', 'http_headers'],
    'the file',
  )
  const at = (where: string): Reader => createReader(fieldsOf(fields[where] ?? {}, where), where, folder)
  const ways = [
    fields['basic_auth'] === undefined ? undefined : basicAuth(at('basic_auth')),
    fields['authorization'] === undefined ? undefined : authorization(at('authorization')),
    bearer(createReader(fields, 'the file', folder)),
  ].filter((way) => way !== undefined)
  if (ways.length > 1) {
    throw new Error('expected one of basic_auth, authorization, bearer_token and bearer_token_file')
  }
  return {
    headers: {
      ...headersOf(fieldsOf(fields['http_headers'] ?? {}, 'http_headers'), folder),
      ...(ways[0] === undefined ? {} : { authorization: ways[0] }),
    },
    tls: tlsOf(at('tls_config')),
  }
}

function basicAuth(reader: Reader): string {
  reader.only(['username', 'username_file', 'password', 'password_file'])
  const [user, password] = [reader.secret('username'), reader.secret('password')]
  if (user === undefined || password === undefined) {
    throw new Error('basic_auth: expected username and password, or the files that hold them')
  }
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
}

function authorization(reader: Reader): string {
  reader.only(['type', 'credentials', 'credentials_file'])
  const credentials = reader.secret('credentials')
  if (credentials === undefined) {
    throw new Error('authorization: expected credentials, or the credentials_file that holds them')
  }
  return headerValue(`${reader.text('type') ?? 'Bearer'} ${credentials}`, 'authorization')
}

function bearer(reader: Reader): string | undefined {
  const token = reader.secret('bearer_token')
  return token === undefined ? undefined : headerValue(`Bearer ${token}`, 'bearer_token')
}

function headersOf(fields: Fields, folder: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => {
      const reader = createReader(fieldsOf(value, `http_headers.${name}`), `http_headers.${name}`, folder)
      reader.only(['values', 'secrets', 'files'])
      const texts = [...reader.list('values'), ...reader.list('secrets'), ...reader.list('files', true)]
      if (texts.length === 0) throw new Error(`http_headers.${name}: expected values, secrets or files`)
      return [headerName(name), headerValue(texts.join(', '), `http_headers.${name}`)]
    }),
  )
}

function tlsOf(reader: Reader): TlsSettings {
  reader.only([
    'ca',
    'ca_file',
    'cert',
    'cert_file',
    'key',
    'key_file',
    'server_name',
    'insecure_skip_verify',
  ])
  const [ca, cert, key] = [reader.secret('ca'), reader.secret('cert'), reader.secret('key')]
  const servername = reader.text('server_name')
  if ((cert === undefined) !== (key === undefined)) {
    throw new Error('tls_config: expected a certificate and its key, or neither')
  }
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
    ...(servername === undefined ? {} : { servername }),
    ...(reader.flag('insecure_skip_verify') ? { rejectUnauthorized: false } : {}),
  }
}

/**
 * A header as it is given on the command line, `Name: value`.
 * @throws ConfigError which does not hold the value
 */
export function parseHeader(text: string): readonly [name: string, value: string] {
  const at = text.indexOf(':')
  try {
    if (at < 0) throw new Error('expected a header of the form Name: value')
    const name = headerName(text.slice(0, at).trim())
    return [name.toLowerCase(), headerValue(text.slice(at + 1).trim(), name)]
  } catch (error) {
    throw new ConfigError(`--header: ${messageOf(error)}`, { cause: error })
  }
}

function headerName(name: string): string {
  if (/^[\w!#$%&'*+.^`|~-]+$/.test(name)) return name
  throw new Error(`${JSON.stringify(name.slice(0, 40))} is no name of a header`)
}

/** @throws an error that does not hold the value */
export function headerValue(value: string, where: string): string {
  if (/^[\t\u0020-\u007E\u0080-\u00FF]*$/.test(value)) return value
  throw new Error(`${where}: expected a text on one line, of letters that a header may hold`)
}

/** Reads fields of one mapping. */
interface Reader {
  only(known: readonly string[]): void
  text(key: string): string | undefined
  /** The text of a key, or of the file that `<key>_file` names. */
  secret(key: string): string | undefined
  flag(key: string): boolean
  list(key: string, areFiles?: boolean): readonly string[]
}

function createReader(fields: Fields, where: string, folder: string): Reader {
  const read = (path: string, key: string): string => {
    try {
      return readFileSync(isAbsolute(path) ? path : join(folder, path), 'utf8').trim()
    } catch (error) {
      throw new Error(`${where}.${key} cannot be read: ${messageOf(error)}`, { cause: error })
    }
  }
  const reader: Reader = {
    only(known) {
      onlyKnown(fields, known, where)
    },
    text(key) {
      const value = fields[key]
      if (value === undefined || typeof value === 'string') return value
      throw new Error(`${where}.${key}: expected a text`)
    },
    secret(key) {
      const [text, path] = [reader.text(key), reader.text(`${key}_file`)]
      if (text !== undefined && path !== undefined) {
        throw new Error(`${where}: expected one of ${key} and ${key}_file`)
      }
      return path === undefined ? text : read(path, `${key}_file`)
    },
    flag(key) {
      const value = fields[key] ?? false
      if (typeof value === 'boolean') return value
      throw new Error(`${where}.${key}: expected true or false`)
    },
    list(key, areFiles = false) {
      const value = fields[key] ?? []
      if (!Array.isArray(value) || value.some((item) => typeof item !== 'string')) {
        throw new Error(`${where}.${key}: expected a list of texts`)
      }
      return areFiles ? (value as string[]).map((path) => read(path, key)) : (value as string[])
    },
  }
  return reader
}

function fieldsOf(value: unknown, where: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields
  throw new Error(`${where}: expected a mapping`)
}

function onlyKnown(fields: Fields, known: readonly string[], where: string): void {
  const odd = Object.keys(fields).find((key) => !known.includes(key))
  if (odd !== undefined) throw new Error(`${where}: ${odd} is not known: expected ${known.join(', ')}`)
}
