import { homedir } from 'node:os'
import { join } from 'node:path'
import { readConfigFile } from '../../config/config-file.ts'
import { nearest } from '../../config/nearest.ts'
import { ConfigError, messageOf } from '../../core/errors.ts'
import { Secret } from '../../http/secret.ts'
import { settingSpecs, type MlflowOptions, type SettingKind, type SettingName } from './mlflow-options.ts'

/** What a run is logged with, complete. */
export interface MlflowSettings {
  /** Without a slash at its end, without user name and password; `undefined` where nobody names a server that can be asked. */
  readonly url: string | undefined
  /** What is wrong where there is no address. */
  readonly addressProblem: string
  /** Value of the header. */
  readonly authorization: Secret | undefined
  readonly runId: string | undefined
  readonly isNested: boolean
  readonly experimentName: string | undefined
  readonly experimentId: string | undefined
  readonly runName: string | undefined
  readonly checksCertificate: boolean
  readonly serverCertPath: string | undefined
  readonly clientCertPath: string | undefined
  readonly requestMs: number
}

/** Settings, and what is odd about them. */
export interface LoadedSettings {
  readonly settings: MlflowSettings
  readonly warnings: readonly string[]
}

/** Where settings are looked for besides code. */
export interface MlflowPlaces {
  readonly environment: NodeJS.ProcessEnv
  readonly home: string | undefined
}

interface Values {
  readonly text: string
  readonly secret: Secret
  readonly switch: boolean
  readonly id: string
  readonly milliseconds: number
}
type Found = { readonly [Name in SettingName]?: Values[(typeof settingSpecs)[Name]['kind']] }

/** A run waits 5 s for an output when it ends. */
const usualRequestMs = 4000

/**
 * Settings from code, else from `MLFLOW_*` variables; user name and password else from `~/.mlflow/credentials`, as MLflow's own client reads
 * them. A wrong value in code is an error, elsewhere a warning. No message holds a secret or an address.
 *
 * @throws ConfigError for a wrong option in code
 */
export function loadSettings(
  given: MlflowOptions = {},
  places: MlflowPlaces = { environment: process.env, home: attempt(homedir) },
): LoadedSettings {
  const warnings: string[] = []
  const warn = (warning: string): void => void warnings.push(warning)
  const found: Found = {
    ...fromFile(places.home, warn),
    ...fromEnvironment(places.environment, warn),
    ...fromCode(given),
  }
  if (found.insecureTls === true && found.serverCertPath !== undefined)
    warn(
      'MLFLOW_TRACKING_INSECURE_TLS counts, and MLFLOW_TRACKING_SERVER_CERT_PATH does not: give one of the two',
    )
  return { settings: complete(found), warnings }
}

/** Whether a program that says nothing about MLflow is to be logged there: a run of a server is named. */
export const namesRun = (environment: NodeJS.ProcessEnv = process.env): boolean =>
  addressIn(environment['MLFLOW_TRACKING_URI'] ?? '') !== undefined &&
  isId(environment['MLFLOW_RUN_ID'] ?? '')

function attempt(find: () => string): string | undefined {
  try {
    return find()
  } catch {
    // A user without a home.
    return undefined
  }
}

function complete(found: Found): MlflowSettings {
  const address = addressIn(found.trackingUri ?? '')
  return {
    url: address?.url,
    addressProblem:
      found.trackingUri === undefined
        ? 'no server is named: give MLFLOW_TRACKING_URI (trackingUri in code), such as http://localhost:5000'
        : 'MLFLOW_TRACKING_URI (trackingUri in code) names no server: expected an address that begins with http:// or https://',
    authorization: address?.authorization ?? authorizationOf(found),
    runId: found.runId,
    isNested: found.nested ?? false,
    experimentName: found.experimentName,
    experimentId: found.experimentId,
    runName: found.runName,
    checksCertificate: found.insecureTls !== true,
    serverCertPath: found.insecureTls === true ? undefined : found.serverCertPath,
    clientCertPath: found.clientCertPath,
    requestMs: found.requestMs ?? usualRequestMs,
  }
}

/** User name and password go before a token, as with MLflow's own client. */
function authorizationOf({ username, password, token }: Found): Secret | undefined {
  if (username !== undefined && password !== undefined) return basic(username.reveal(), password.reveal())
  return token === undefined ? undefined : new Secret(`Bearer ${token.reveal()}`)
}

const basic = (user: string, password: string): Secret =>
  new Secret(`Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`)

interface Address {
  readonly url: string
  /** Of user name and password that stand in it. */
  readonly authorization: Secret | undefined
}

function addressIn(text: string): Address | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol)) return undefined
  return {
    url: `${url.origin}${url.pathname.replace(/\/+$/, '')}`,
    authorization: url.username === '' ? undefined : basic(decode(url.username), decode(url.password)),
  }
}

/** A `%` that means itself stays as it is. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function fromFile(home: string | undefined, warn: (warning: string) => void): Found {
  if (home === undefined) return {}
  try {
    const entries = readConfigFile(join(home, '.mlflow/credentials'), 'mlflow')?.entries ?? []
    const found: { username?: Secret; password?: Secret } = {}
    for (const { key, value } of entries) {
      if (key === 'mlflow_tracking_username') found.username = new Secret(String(value))
      if (key === 'mlflow_tracking_password') found.password = new Secret(String(value))
    }
    return found
  } catch (error) {
    warn(`${messageOf(error)}; nothing of it is used`)
    return {}
  }
}

function fromEnvironment(environment: NodeJS.ProcessEnv, warn: (warning: string) => void): Found {
  const found: Record<string, unknown> = {}
  for (const [name, spec] of Object.entries(settingSpecs)) {
    const variable = 'variable' in spec ? spec.variable : undefined
    const text = variable === undefined ? '' : (environment[variable] ?? '').trim()
    if (variable === undefined || text === '') continue
    const value = parse(text, spec.kind)
    if (value === undefined)
      warn(`${variable}: expected ${expected[spec.kind]}${got(text, spec.kind)}; it is left out`)
    else found[name] = value
  }
  return found
}

const expected: Readonly<Record<SettingKind, string>> = {
  text: 'a text',
  secret: 'a text on one line',
  switch: 'true or false',
  id: 'an id of letters, digits, - and _',
  milliseconds: 'a number of milliseconds from 1 to 60000',
}
const longestMs = 60_000

const got = (value: unknown, kind: SettingKind): string =>
  kind === 'secret' ? '' : `, got ${JSON.stringify(String(value).slice(0, 100))}`

function parse(text: string, kind: SettingKind): string | boolean | number | Secret | undefined {
  switch (kind) {
    case 'text':
      return text
    case 'secret':
      return /[\r\n]/.test(text) ? undefined : new Secret(text)
    case 'switch':
      return switchWords.get(text.toLowerCase())
    case 'id':
      return isId(text) ? text : undefined
    case 'milliseconds':
      return Number(text) >= 1 && Number(text) <= longestMs ? Number(text) : undefined
  }
}

/** MLflow takes these alone. */
const switchWords: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['1', true],
  ['false', false],
  ['0', false],
])
/** Ids of runs as MLflow's server checks them; those of experiments are shorter ones of the same kind. */
const isId = (text: string): boolean => /^[a-zA-Z0-9][\w-]{0,255}$/.test(text)

function fromCode(given: MlflowOptions): Found {
  if (typeof given !== 'object' || given === null)
    throw new ConfigError(`options: expected an object, got ${given === null ? 'null' : typeof given}`)
  const found: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(given) as [string, unknown][]) {
    if (value === undefined || name === 'logger') continue
    if (!Object.hasOwn(settingSpecs, name)) throw unknownOption(name)
    const { kind } = settingSpecs[name as SettingName]
    const parsed = fromValue(value, kind)
    if (parsed === undefined) throw wrong(name, kind, value)
    if (name === 'trackingUri' && addressIn(parsed as string) === undefined)
      throw new ConfigError(
        `option ${name}: expected the address of a tracking server that begins with http:// or https://`,
      )
    found[name] = parsed
  }
  return found
}

function fromValue(value: unknown, kind: SettingKind): ReturnType<typeof parse> {
  if (kind === 'switch') return typeof value === 'boolean' ? value : undefined
  if (kind === 'milliseconds') return typeof value === 'number' ? parse(String(value), kind) : undefined
  return typeof value === 'string' && value.trim() !== '' ? parse(value.trim(), kind) : undefined
}

function wrong(name: string, kind: SettingKind, value: unknown): ConfigError {
  const isShown = ['string', 'number', 'boolean'].includes(typeof value)
  return new ConfigError(
    `option ${name}: expected ${expected[kind]}${isShown ? got(value, kind) : `, got ${typeof value}`}`,
  )
}

function unknownOption(name: string): ConfigError {
  const meant = nearest(name, [...Object.keys(settingSpecs), 'logger'])
  return new ConfigError(`option ${name}: not known${meant === undefined ? '' : `; did you mean ${meant}?`}`)
}
