import { Secret } from '../../http/secret.ts'
import type { CometMode, SettingKind } from './comet-options.ts'

/** A setting as it is used inside. */
export type SettingValue = string | number | boolean | readonly string[] | Secret

/** Values of settings by their kind. */
export interface SettingValues {
  readonly text: string
  readonly secret: Secret
  readonly header: Secret
  readonly 'header name': string
  readonly level: string
  readonly switch: boolean
  readonly mode: CometMode
  readonly key: string
  readonly address: string
  readonly words: readonly string[]
  readonly seconds: number
  readonly count: number
}

/** What was given, where it may be shown. */
export const got = (value: unknown, kind: SettingKind): string =>
  kind === 'secret' || kind === 'header' || kind === 'address'
    ? ''
    : `, got ${JSON.stringify(String(value).slice(0, 100))}`

/** What each kind takes, in words. */
export const expected: Readonly<Record<SettingKind, string>> = {
  text: 'a text',
  secret: 'a text without spaces',
  header: 'a text of ASCII',
  'header name': 'the name of a header, without spaces',
  level: 'debug, info, warning, error or critical',
  switch: 'true or false',
  mode: 'create, get or get_or_create',
  key: 'a key of 32 to 50 letters and digits',
  address: 'an address that begins with http:// or https://, without user name and password in it',
  words: 'a list of texts',
  seconds: 'a number of seconds above 0',
  count: 'a whole number from 1 to 100',
}

/** Reads a text; `undefined` where it is none of the kind. */
export function parseSetting(text: string, kind: SettingKind): SettingValue | undefined {
  switch (kind) {
    case 'text':
      return text
    case 'secret':
      return isToken(text) ? new Secret(text) : undefined
    case 'header':
      return /^[\x20-\x7e]+$/.test(text) ? new Secret(text) : undefined
    case 'header name':
      return /^[!#$%&'*+.^`|~\w-]+$/.test(text) ? text : undefined
    case 'level':
      return /^(?:debug|info|warning|error|critical)$/i.test(text) ? text : undefined
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

/** Takes a value from code; `undefined` where it is none of the kind. */
export function settingFromCode(value: unknown, kind: SettingKind): SettingValue | undefined {
  if (kind === 'switch') return typeof value === 'boolean' ? value : undefined
  if (kind === 'words') {
    const isList = Array.isArray(value) && value.every((item) => typeof item === 'string')
    return isList ? value : undefined
  }
  return typeof value === 'string' && value.trim() !== '' ? parseSetting(value.trim(), kind) : undefined
}
