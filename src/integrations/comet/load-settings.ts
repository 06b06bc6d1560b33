import { homedir } from 'node:os'
import { join } from 'node:path'
import { readConfigFile } from '../../config/config-file.ts'
import { nearest } from '../../config/nearest.ts'
import { ConfigError, messageOf } from '../../core/errors.ts'
import {
  otherNames,
  settingSpecs,
  type CometMode,
  type CometOptions,
  type SettingKind,
  type SettingName,
  type SettingSpec,
} from './comet-options.ts'
import { Secret } from './secret.ts'

/** What an experiment is begun with, complete. */
export interface CometSettings {
  readonly apiKey: Secret | undefined
  /** `undefined`: the default one of the key's owner. */
  readonly workspace: string | undefined
  readonly projectName: string
  readonly experimentName: string | undefined
  readonly experimentKey: string | undefined
  readonly mode: CometMode
  readonly offline: boolean
  readonly offlineDirectory: string
  readonly tags: readonly string[]
  /** Without a slash at its end. */
  readonly url: string
  readonly autoLogCo2: boolean
  readonly autoLogSystem: boolean
  readonly autoLogHost: boolean
  readonly autoLogCpu: boolean
  readonly requestMs: number
  readonly startMs: number
  readonly uploadMs: number
  readonly endMs: number
  /** How often a server is connected to before it counts as away. */
  readonly connectTries: number
  readonly checksCertificate: boolean
  /** Sent with each request, for a gateway. */
  readonly header: { readonly name: string; readonly value: Secret } | undefined
  readonly nodeIdentifier: string | undefined
  readonly logFile: string | undefined
  readonly logFileLevel: string | undefined
}

/** Settings, and what is odd about them. */
export interface LoadedSettings {
  readonly settings: CometSettings
  readonly warnings: readonly string[]
}

/** Where settings are looked for. */
export interface CometPlaces {
  readonly environment: NodeJS.ProcessEnv
  readonly home: string | undefined
  readonly workingDirectory: string | undefined
}

/** What stands in for an option that nobody gives. */
export type CometDefaults = Partial<Pick<CometSettings, 'projectName' | 'offline'>>

const fileName = '.comet.config'
/** Comet's own address and project for those that give none. */
const usualUrl = 'https://www.comet.com'
const usualProject = 'general'

type Value = string | number | boolean | readonly string[] | Secret
/** Values of settings by their kind. */
interface Values {
  readonly text: string
  readonly secret: Secret
  readonly switch: boolean
  readonly mode: CometMode
  readonly key: string
  readonly address: string
  readonly words: readonly string[]
  readonly seconds: number
  readonly count: number
}
type Found = { readonly [Name in SettingName]?: Values[(typeof settingSpecs)[Name]['kind']] }

/**
 * Settings from code, `COMET_*` variables, `./.comet.config` and `~/.comet.config`, the earlier ones over the later ones. A wrong value in code is an
 * error; elsewhere, where it is other programs' too, it is left out with a warning. No message holds a key.
 *
 * @throws ConfigError for a wrong option in code
 */
export function loadSettings(
  given: CometOptions = {},
  {
    places = ownPlaces(),
    defaults = {},
  }: { readonly places?: CometPlaces; readonly defaults?: CometDefaults } = {},
): LoadedSettings {
  const warnings: string[] = []
  const warn = (warning: string): void => void warnings.push(warning)
  const isOneFolder = places.home === places.workingDirectory
  const near = isOneFolder ? {} : fromFile(places.workingDirectory, warn)
  const found: Found = {
    ...fromFile(places.home, warn),
    ...near,
    ...fromEnvironment(places.environment, warn),
    ...fromCode(given),
  }
  // A folder that came from somebody else must not take the user's key somewhere else in silence.
  if (near.url !== undefined && found.url === near.url && found.apiKey !== near.apiKey) {
    warn(
      `${join(places.workingDirectory ?? '', fileName)}: url_override says where the API key and all that is logged are sent; that file is in the working directory`,
    )
  }
  return { settings: complete(found, defaults), warnings }
}

/** Whether a program that says nothing about Comet is to be logged there: a key is given, and logging of emissions is not turned off. */
export function wantsAutoLog(places: CometPlaces = ownPlaces()): boolean {
  const { settings } = loadSettings({}, { places })
  return settings.apiKey !== undefined && settings.autoLogCo2
}

/** Those of this process. */
export const ownPlaces = (): CometPlaces => ({
  environment: process.env,
  home: attempt(homedir),
  workingDirectory: attempt(() => process.cwd()),
})

function attempt(find: () => string): string | undefined {
  try {
    return find()
  } catch {
    // A working directory that was removed, a user without a home.
    return undefined
  }
}

function complete(found: Found, defaults: CometDefaults): CometSettings {
  const mayLog = found.isAutoLogDisabled !== true
  const { headerName, headerValue } = found
  return {
    apiKey: found.apiKey,
    workspace: found.workspace,
    projectName: found.projectName ?? defaults.projectName ?? usualProject,
    experimentName: found.experimentName,
    experimentKey: found.experimentKey,
    mode: found.mode ?? (found.experimentKey === undefined ? 'create' : 'get_or_create'),
    offline: found.offline ?? (found.online === false ? true : (defaults.offline ?? false)),
    offlineDirectory: found.offlineDirectory ?? '.cometml-runs',
    tags: found.tags ?? [],
    url: found.url ?? usualUrl,
    autoLogCo2: mayLog && (found.autoLogCo2 ?? true),
    autoLogSystem: mayLog && (found.autoLogSystem ?? true),
    autoLogHost: found.autoLogHost ?? true,
    autoLogCpu: found.autoLogCpu ?? true,
    requestMs: found.requestMs ?? 10_000,
    startMs: found.startMs ?? 15_000,
    uploadMs: found.uploadMs ?? 900_000,
    endMs: found.endMs ?? 5000,
    connectTries: found.connectTries ?? 4,
    checksCertificate: found.checksCertificate ?? true,
    header:
      headerName === undefined || headerValue === undefined
        ? undefined
        : { name: headerName, value: headerValue },
    nodeIdentifier: found.nodeIdentifier,
    logFile: found.logFile,
    logFileLevel: found.logFileLevel,
  }
}

const names = new Map<string, SettingName>(
  Object.entries(settingSpecs).flatMap(([name, spec]) =>
    spec.names.split(' ').map((alias) => [alias, name as SettingName] as const),
  ),
)
const specOf = (name: SettingName): SettingSpec => settingSpecs[name]

function fromFile(folder: string | undefined, warn: (warning: string) => void): Found {
  if (folder === undefined) return {}
  const path = join(folder, fileName)
  try {
    const file = readConfigFile(path, 'comet')
    for (const warning of file?.warnings ?? []) warn(warning)
    return read(
      (file?.entries ?? []).map(({ key, value, where }) => ({ key, value: String(value), where })),
      warn,
    )
  } catch (error) {
    warn(`${messageOf(error)}; nothing of it is used`)
    return {}
  }
}

const prefix = 'COMET_'

const fromEnvironment = (environment: NodeJS.ProcessEnv, warn: (warning: string) => void): Found =>
  read(
    Object.entries(environment).flatMap(([variable, value = '']) =>
      variable.toUpperCase().startsWith(prefix)
        ? [{ key: variable.slice(prefix.length).toLowerCase(), value, where: variable }]
        : [],
    ),
    warn,
  )

interface TextEntry {
  readonly key: string
  readonly value: string
  readonly where: string
}

/** Entries of a place where everything is text. Names that nobody knows are Comet's own business, unless they are near to one. */
function read(entries: readonly TextEntry[], warn: (warning: string) => void): Found {
  const found: Record<string, unknown> = {}
  // Where both names of a setting are given, the first one counts.
  const rank = ({ key }: TextEntry): number => {
    const name = names.get(key)
    return name === undefined ? 0 : -specOf(name).names.split(' ').indexOf(key)
  }
  for (const { key, value, where } of entries.toSorted((one, other) => rank(one) - rank(other))) {
    const name = names.get(key)
    if (name === undefined) {
      const meant = otherNames.includes(key) ? undefined : nearest(key, names.keys())
      if (meant !== undefined && isSlip(key, meant))
        warn(
          `${where}: not known; did you mean ${where === where.toUpperCase() ? `${prefix}${meant.toUpperCase()}` : meant}?`,
        )
      continue
    }
    if (value.trim() === '') continue
    const { kind } = specOf(name)
    const parsed = parse(value.trim(), kind)
    if (parsed === undefined) warn(`${where}: expected ${expected[kind]}${got(value, kind)}; it is left out`)
    else found[name] = parsed
  }
  return found
}

/** Two letters at the most: Comet has many names that are none of ours. */
const isSlip = (one: string, other: string): boolean =>
  Math.abs(one.length - other.length) <= 1 && one.slice(0, 4) === other.slice(0, 4)

const got = (value: unknown, kind: SettingKind): string =>
  kind === 'secret' || kind === 'address' ? '' : `, got ${JSON.stringify(String(value).slice(0, 100))}`

const expected: Readonly<Record<SettingKind, string>> = {
  text: 'a text',
  secret: 'a text without spaces',
  switch: 'true or false',
  mode: 'create, get or get_or_create',
  key: 'a key of 32 to 50 letters and digits',
  address: 'an address that begins with http:// or https://, without user name and password in it',
  words: 'a list of texts',
  seconds: 'a number of seconds above 0',
  count: 'a whole number from 1 to 100',
}

function parse(text: string, kind: SettingKind): Value | undefined {
  switch (kind) {
    case 'text':
      return text
    case 'secret':
      return isToken(text) ? new Secret(text) : undefined
    case 'switch':
      return switchWords.get(text.toLowerCase())
    case 'mode':
      return isMode(text) ? text : undefined
    case 'key':
      return isKey(text) ? text : undefined
    case 'address':
      return toRoot(text)
    case 'words':
      return text
        .split(',')
        .map((word) => word.trim())
        .filter(Boolean)
    case 'seconds':
      return /^\d+(\.\d+)?$/.test(text) && Number(text) > 0 ? Number(text) * 1000 : undefined
    case 'count':
      return /^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= 100 ? Number(text) : undefined
  }
}

const switchWords: ReadonlyMap<string, boolean> = new Map([
  ...['true', 'yes', 'on', '1'].map((word) => [word, true] as const),
  ...['false', 'no', 'off', '0'].map((word) => [word, false] as const),
])
const isMode = (text: string): text is CometMode => ['create', 'get', 'get_or_create'].includes(text)
const isKey = (text: string): boolean => /^[\da-z]{32,50}$/i.test(text)
/** What may stand in a header: anything else would be an error of every request. */
const isToken = (text: string): boolean => /^[\x21-\x7e]+$/.test(text)

/** Servers of one's own are named with the path of Comet's clients, which is not that of the REST API. */
function toRoot(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '')
    return undefined
  return `${url.origin}${url.pathname.replace(/\/+$/, '').replace(/\/clientlib$/, '')}`
}

const codeKinds = {
  apiKey: 'secret',
  workspace: 'text',
  projectName: 'text',
  experimentName: 'text',
  experimentKey: 'key',
  mode: 'mode',
  offline: 'switch',
  offlineDirectory: 'text',
  tags: 'words',
  url: 'address',
  autoLogCo2: 'switch',
  autoLogSystem: 'switch',
  autoLogHost: 'switch',
} as const satisfies Readonly<Partial<Record<SettingName, SettingKind>>>
const timeoutNames = ['requestMs', 'uploadMs', 'startMs', 'endMs'] as const

function fromCode(given: CometOptions): Found {
  if (typeof given !== 'object' || given === null)
    throw new ConfigError(`options: expected an object, got ${given === null ? 'null' : typeof given}`)
  const found: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(given) as [string, unknown][]) {
    if (value === undefined || name === 'logger') continue
    if (name === 'timeouts') {
      Object.assign(found, timeoutsOf(value))
      continue
    }
    if (!Object.hasOwn(codeKinds, name))
      throw unknownOption(name, [...Object.keys(codeKinds), 'timeouts', 'logger'])
    const kind = codeKinds[name as keyof typeof codeKinds]
    const parsed = fromValue(value, kind)
    if (parsed === undefined) {
      const shown = typeof value === 'string' ? got(value, kind) : `, got ${typeof value}`
      throw new ConfigError(`option ${name}: expected ${expected[kind]}${shown}`)
    }
    found[name as SettingName] = parsed
  }
  return found
}

function fromValue(value: unknown, kind: SettingKind): Value | undefined {
  if (kind === 'switch') return typeof value === 'boolean' ? value : undefined
  if (kind === 'words') {
    const isList = Array.isArray(value) && value.every((item) => typeof item === 'string')
    return isList ? value : undefined
  }
  return typeof value === 'string' && value.trim() !== '' ? parse(value.trim(), kind) : undefined
}

function timeoutsOf(value: unknown): Found {
  if (typeof value !== 'object' || value === null)
    throw new ConfigError(
      `option timeouts: expected an object, got ${value === null ? 'null' : typeof value}`,
    )
  const found: Record<string, unknown> = {}
  for (const [name, ms] of Object.entries(value) as [string, unknown][]) {
    if (ms === undefined) continue
    if (!timeoutNames.includes(name as never)) throw unknownOption(`timeouts.${name}`, timeoutNames)
    if (typeof ms !== 'number' || !(ms > 0) || ms > longestMs)
      throw new ConfigError(
        `option timeouts.${name}: expected a number of milliseconds from 1 to ${longestMs}, got ${typeof ms === 'number' ? ms : typeof ms}`,
      )
    found[name as SettingName] = ms
  }
  return found
}

/** Of a timer of Node.js. */
const longestMs = 2 ** 31 - 1

function unknownOption(name: string, known: Iterable<string>): ConfigError {
  const meant = nearest(name.replace('timeouts.', ''), known)
  return new ConfigError(`option ${name}: not known${meant === undefined ? '' : `; did you mean ${meant}?`}`)
}
