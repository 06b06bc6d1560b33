import { readFileSync, statSync } from 'node:fs'
import { dirname, isAbsolute, join } from 'node:path'
import { ConfigError, messageOf } from '../../core/errors.ts'

/** What a web configuration file says, in the form of Prometheus' exporter-toolkit (its `--web.config.file`). */
export interface WebConfig {
  /** bcrypt hashes by user; empty where everybody may look. */
  readonly users: Readonly<Record<string, string>>
  readonly tls: WebTls | undefined
  /** Headers that every answer has. */
  readonly headers: Readonly<Record<string, string>>
}

/** Paths of files, relative ones from the folder of the configuration. */
export interface WebTls {
  readonly certFile: string
  readonly keyFile: string
  /** Certificates that clients' ones are signed with. */
  readonly clientCaFile: string | undefined
  readonly clientAuth: 'none' | 'request' | 'require'
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3'
}

/** The file as it was read, and how to know that it has changed. */
export interface LoadedWebConfig {
  readonly config: WebConfig
  readonly stamp: string
}

/**
 * Reads a web configuration file.
 * @throws ConfigError naming the file, what was wrong and what was expected
 */
export async function loadWebConfig(path: string): Promise<LoadedWebConfig> {
  const { parse } = await import('yaml')
  try {
    const stamp = stampOf(path)
    const config = toConfig(parse(readFileSync(path, 'utf8')), dirname(path))
    return { config, stamp: `${stamp} ${tlsStamp(config)}` }
  } catch (error) {
    throw new ConfigError(`web_config_file ${path}: ${messageOf(error)}`, { cause: error })
  }
}

/** Whether the file, or a certificate that it names, is another than the one that was read. */
export function hasChanged(path: string, { config, stamp }: LoadedWebConfig): boolean {
  try {
    return `${stampOf(path)} ${tlsStamp(config)}` !== stamp
  } catch {
    // It is being replaced; what was read goes on until there is another.
    return false
  }
}

/** Whether not everybody may look. */
export const asksForPasswords = ({ users }: WebConfig): boolean => Object.keys(users).length > 0

/** Whether it sets nothing at all: everybody who reaches the port may look. */
export const isEmpty = (config: WebConfig): boolean =>
  config.tls === undefined && !asksForPasswords(config) && Object.keys(config.headers).length === 0

/**
 * Why a server that runs under one configuration cannot go on under another, `undefined` where it can. A file that is copied or truncated is
 * empty for a moment, or for good where the disk is full, and must not let everybody in; and Node decides when it begins to listen
 * whether certificates of clients are asked for.
 */
export function whyNeedsNewStart(before: WebConfig, after: WebConfig): string | undefined {
  if (isEmpty(after) && !isEmpty(before)) return 'it is empty'
  if ((before.tls === undefined) !== (after.tls === undefined))
    return 'turning TLS on or off needs a new start'
  if (before.tls?.clientAuth !== after.tls?.clientAuth) {
    return 'another tls_server_config.client_auth_type needs a new start'
  }
  if (asksForPasswords(before) && !asksForPasswords(after))
    return 'asking for no passwords any more needs a new start'
  return undefined
}

const stampOf = (path: string): string => {
  const { mtimeMs, size, ino } = statSync(path)
  return `${mtimeMs} ${size} ${ino}`
}

const tlsStamp = ({ tls }: WebConfig): string =>
  tls === undefined
    ? ''
    : [tls.certFile, tls.keyFile, tls.clientCaFile]
        .filter((file) => file !== undefined)
        .map(stampOf)
        .join(' ')

type Fields = Readonly<Record<string, unknown>>

function toConfig(root: unknown, folder: string): WebConfig {
  const fields = root === null || root === undefined ? {} : fieldsAt(root, 'the file')
  onlyKnown(fields, ['tls_server_config', 'basic_auth_users', 'http_server_config'], 'the file')
  const http = fieldsAt(fields['http_server_config'] ?? {}, 'http_server_config')
  onlyKnown(http, ['headers', 'http2'], 'http_server_config')
  return {
    users: usersOf(fieldsAt(fields['basic_auth_users'] ?? {}, 'basic_auth_users')),
    tls:
      fields['tls_server_config'] === undefined
        ? undefined
        : tlsOf(fieldsAt(fields['tls_server_config'], 'tls_server_config'), folder),
    headers: headersOf(fieldsAt(http['headers'] ?? {}, 'http_server_config.headers')),
  }
}

function fieldsAt(value: unknown, where: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields
  throw new Error(`${where}: expected a mapping`)
}

function onlyKnown(fields: Fields, known: readonly string[], where: string): void {
  const odd = Object.keys(fields).find((key) => !known.includes(key))
  if (odd !== undefined) throw new Error(`${where}: ${odd} is not known: expected ${known.join(', ')}`)
}

function usersOf(fields: Fields): Record<string, string> {
  const users: [string, string][] = Object.entries(fields).map(([user, hash]) => {
    if (typeof hash === 'string' && /^\$2[abxy]?\$\d\d\$[./A-Za-z0-9]{53}$/.test(hash)) return [user, hash]
    throw new Error(`basic_auth_users: ${user} has no bcrypt hash (htpasswd -nBC 10 "" makes one)`)
  })
  return Object.fromEntries(users)
}

function headersOf(fields: Fields): Record<string, string> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => {
      if (typeof value === 'string' && /^[\w-]+$/.test(name) && !/[\r\n]/.test(value)) return [name, value]
      throw new Error(`http_server_config.headers: ${name} is no header with a text`)
    }),
  )
}

const clientAuths: Readonly<Record<string, WebTls['clientAuth']>> = {
  '': 'none',
  NoClientCert: 'none',
  RequestClientCert: 'request',
  RequireAnyClientCert: 'require',
  VerifyClientCertIfGiven: 'request',
  RequireAndVerifyClientCert: 'require',
}

function tlsOf(fields: Fields, folder: string): WebTls {
  const known = ['cert_file', 'key_file', 'client_ca_file', 'client_auth_type', 'min_version']
  onlyKnown(fields, known, 'tls_server_config')
  const text = (key: string): string | undefined => {
    const value = fields[key]
    if (value === undefined || typeof value === 'string') return value
    throw new Error(`tls_server_config.${key}: expected a text`)
  }
  const file = (key: string): string | undefined => {
    const path = text(key)
    return path === undefined || isAbsolute(path) ? path : join(folder, path)
  }
  const [certFile, keyFile, clientCaFile] = [file('cert_file'), file('key_file'), file('client_ca_file')]
  if (certFile === undefined || keyFile === undefined) {
    throw new Error('tls_server_config: expected cert_file and key_file')
  }
  const authType = text('client_auth_type') ?? ''
  const clientAuth = Object.hasOwn(clientAuths, authType) ? clientAuths[authType] : undefined
  if (clientAuth === undefined) {
    throw new Error(
      `tls_server_config.client_auth_type: expected one of ${Object.keys(clientAuths).filter(Boolean).join(', ')}`,
    )
  }
  if (clientAuth === 'require' && clientCaFile === undefined) {
    throw new Error('tls_server_config: certificates of clients are asked for without a client_ca_file')
  }
  const version = text('min_version') ?? 'TLS12'
  if (version !== 'TLS12' && version !== 'TLS13') {
    throw new Error('tls_server_config.min_version: expected TLS12 or TLS13')
  }
  return {
    certFile,
    keyFile,
    clientCaFile,
    clientAuth,
    minVersion: version === 'TLS12' ? 'TLSv1.2' : 'TLSv1.3',
  }
}
