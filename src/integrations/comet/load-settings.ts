import { homedir } from 'node:os'
import { join } from 'node:path'
import { readConfigFile } from '../../config/config-file.ts'
import { nearest } from '../../config/nearest.ts'
import { ConfigError, messageOf } from '../../core/errors.ts'
import type { Secret } from '../../http/secret.ts'
import {
  otherNames,
  settingSpecs,
  type CometMode,
  type CometOptions,
  type SettingKind,
  type SettingName,
  type SettingSpec,
} from './comet-options.ts'
import { expected, got, parseSetting, settingFromCode, type SettingValues } from './parse-setting.ts'

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
  /** False where the address of the server cannot be read: what is logged must not go to another one. */
  readonly isAddressKnown: boolean
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
/** Stands for an address that cannot be read. */
const unreadableUrl = ''

/** What a file in the working directory should not do in silence. */
const riskyNearby = [
  ['checksCertificate', 'internal_check_tls_certificate says whether the server has to prove who it is'],
  ['logFile', 'logging_file names a file that messages are added to'],
] as const satisfies readonly (readonly [SettingName, string])[]

type Found = { readonly [Name in SettingName]?: SettingValues[(typeof settingSpecs)[Name]['kind']] }

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
  if ((found.headerName === undefined) !== (found.headerValue === undefined))
    warn(
      'COMET_ALLOW_HEADER_NAME and COMET_ALLOW_HEADER_VALUE belong together: one of them is not used alone',
    )
  // Who made the folder may be somebody else.
  for (const [name, what] of riskyNearby) {
    if (near[name] !== undefined && found[name] === near[name])
      warn(`${join(places.workingDirectory ?? '', fileName)}: ${what}; that file is in the working directory`)
  }
  // A folder that came from somebody else must not take the user's key somewhere else in silence.
  if (near.url !== undefined && found.url === near.url && found.apiKey !== near.apiKey) {
    warn(
      `${join(places.workingDirectory ?? '', fileName)}: url_override says where the API key and all that is logged are sent; that file is in the working directory`,
    )
  }
  return { settings: complete(found, defaults), warnings, isAddressKnown: found.url !== unreadableUrl }
}

/** Whether a program that says nothing about Comet is to be logged there: a key is given, or that it is offline, and logging of emissions is not turned off. */
export function wantsAutoLog(places: CometPlaces = ownPlaces()): boolean {
  const { apiKey, offline, autoLogCo2 } = loadSettings({}, { places }).settings
  return (apiKey !== undefined || offline) && autoLogCo2
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
    offline:
      found.url === unreadableUrl ||
      (found.offline ?? (found.online === false || (defaults.offline ?? false))),
    offlineDirectory: found.offlineDirectory ?? '.cometml-runs',
    tags: found.tags ?? [],
    url: found.url === undefined || found.url === unreadableUrl ? usualUrl : found.url,
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
      const meant = meantBy(key)
      if (meant !== undefined)
        warn(
          `${where}: not known; did you mean ${where === where.toUpperCase() ? `${prefix}${meant.toUpperCase()}` : meant}?`,
        )
      continue
    }
    if (value.trim() === '') continue
    const { kind } = specOf(name)
    const parsed = parseSetting(value.trim(), kind)
    const fate = unsafe.has(name) ? 'what is logged goes to an archive and not to a server' : 'it is left out'
    if (parsed === undefined) warn(`${where}: expected ${expected[kind]}${got(value, kind)}; ${fate}`)
    found[name] = parsed ?? unsafe.get(name)
  }
  return found
}

/** Settings that say where the key and all that is logged go, with what they are where they cannot be read. */
const unsafe: ReadonlyMap<SettingName, string | boolean> = new Map<SettingName, string | boolean>([
  ['url', unreadableUrl],
  ['offline', true],
  ['online', false],
])

/** What people write for names that Comet has. */
const usualSlips: ReadonlyMap<string, string> = new Map([
  ['key', 'api_key'],
  ['token', 'api_key'],
  ['api_token', 'api_key'],
  ['project', 'project_name'],
  ['name', 'experiment_name'],
  ['experiment', 'experiment_name'],
  ['url', 'url_override'],
  ['server', 'url_override'],
  ['tags', 'start_experiment_tags'],
])

/** The name that was meant; `undefined` for one of the many that Comet has and we do not, from which ours differ by more than a slip. */
function meantBy(key: string): string | undefined {
  const usual = usualSlips.get(key)
  if (usual !== undefined || otherNames.includes(key)) return usual
  const meant = nearest(key, names.keys())
  const beginning = 'auto_log_'
  // Comet has many names that begin like this.
  if (meant === undefined || key.startsWith(beginning)) return undefined
  const isLetterOff = Math.abs(meant.length - key.length) <= 1
  return isLetterOff && key[0] === meant[0] ? meant : undefined
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
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw new ConfigError(`options: expected an object, got ${given === null ? 'null' : typeof given}`)
  const found: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(given) as [string, unknown][]) {
    if (value === undefined) continue
    if (name === 'logger') {
      checkLogger(value)
      continue
    }
    if (name === 'timeouts') {
      Object.assign(found, timeoutsOf(value))
      continue
    }
    if (!Object.hasOwn(codeKinds, name))
      throw unknownOption(name, [...Object.keys(codeKinds), 'timeouts', 'logger'])
    const kind = codeKinds[name as keyof typeof codeKinds]
    const parsed = settingFromCode(value, kind)
    if (parsed === undefined) {
      const shown = typeof value === 'string' ? got(value, kind) : `, got ${typeof value}`
      throw new ConfigError(`option ${name}: expected ${expected[kind]}${shown}`)
    }
    found[name as SettingName] = parsed
  }
  if (found['mode'] === 'create' && found['experimentKey'] !== undefined)
    throw new ConfigError(
      'option experimentKey: not used with mode create, since Comet chooses the keys of new experiments: leave one of them out',
    )
  return found
}

function checkLogger(value: unknown): void {
  const methods = ['debug', 'info', 'warn', 'error'] as const
  const logger = value as Readonly<Record<(typeof methods)[number], unknown>> | null
  if (logger !== null && methods.every((name) => typeof logger[name] === 'function')) return
  throw new ConfigError('option logger: expected an object with debug, info, warn and error')
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
