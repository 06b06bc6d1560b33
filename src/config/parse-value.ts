import type { OptionSpec } from './option-table.ts'

/** A value as it is used inside, or what would have been one. */
export type Parsed =
  { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly expected: string }

/** Reads one value of an option. `isText`: it comes from a file, the environment or a flag, where everything is text. */
export function parseValue(given: unknown, spec: OptionSpec, isText: boolean): Parsed {
  switch (spec.type) {
    case 'number':
    case 'integer':
      return parseNumber(given, spec, isText)
    case 'switch':
      return parseSwitch(given, isText)
    case 'choice':
      return spec.choices?.includes(given as string) === true ? good(given) : bad(oneOf(spec))
    case 'level':
      return parseLevel(given, spec, isText)
    case 'list':
      return parseList(given, spec)
    case 'ids':
      return parseIds(given)
    case 'names':
      return parseNames(given)
    case 'url':
      return parseAddress(given, spec)
    case 'text':
      return parseText(given, spec)
  }
}

/** What the option takes, in words. */
export function describeValues(spec: OptionSpec): string {
  const parsed = parseValue(Symbol.iterator, spec, false)
  return parsed.ok ? '' : parsed.expected
}

const good = (value: unknown): Parsed => ({ ok: true, value })
const bad = (expected: string): Parsed => ({ ok: false, expected })

function parseText(given: unknown, { notEmpty, ending }: OptionSpec): Parsed {
  const kind = ending === undefined ? 'a text' : `a path that ends in ${ending}`
  if (typeof given !== 'string') return bad(kind)
  if (given.includes('\0')) return bad(`${kind} without NUL characters`)
  if (ending !== undefined && !given.endsWith(ending)) return bad(kind)
  return notEmpty === true && given.trim() === '' ? bad('a text that is not empty') : good(given)
}

function parseNumber(given: unknown, spec: OptionSpec, isText: boolean): Parsed {
  const { min = -Infinity, max = Infinity, also, type } = spec
  const isWritten =
    isText && typeof given === 'string' && /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(given)
  const value = isWritten ? Number(given) : given
  const isNumber = typeof value === 'number' && Number.isFinite(value)
  const isInRange = isNumber && ((value >= min && value <= max) || value === also)
  if (isInRange && (type === 'number' || Number.isInteger(value))) return good(value)
  const kind = type === 'integer' ? 'a whole number' : 'a number'
  const range = max < Infinity ? ` from ${min} to ${max}` : min > -Infinity ? ` of at least ${min}` : ''
  return bad(`${kind}${range}${also === undefined ? '' : `, or ${also}`}`)
}

const switchWords: ReadonlyMap<string, boolean> = new Map([
  ...['true', 'yes', 'on', '1'].map((word) => [word, true] as const),
  ...['false', 'no', 'off', '0'].map((word) => [word, false] as const),
])

function parseSwitch(given: unknown, isText: boolean): Parsed {
  const value = isText ? switchWords.get(String(given).trim().toLowerCase()) : given
  return typeof value === 'boolean' ? good(value) : bad('true or false')
}

/** Other names of severities, and the numbers that Python has for them. */
const levelWords: ReadonlyMap<string, string> = new Map([
  ['notset', 'debug'],
  ['warn', 'warning'],
  ['fatal', 'critical'],
  ['0', 'debug'],
  ['10', 'debug'],
  ['20', 'info'],
  ['30', 'warning'],
  ['40', 'error'],
  ['50', 'critical'],
])

function parseLevel(given: unknown, spec: OptionSpec, isText: boolean): Parsed {
  const isGiven = typeof given === 'string' || (typeof given === 'number' && !isText)
  const word = isGiven ? String(given).trim().toLowerCase() : ''
  const level = levelWords.get(word) ?? word
  return spec.choices?.includes(level) === true
    ? good(level)
    : bad(`${oneOf(spec)} (or 0, 10, 20, 30, 40 or 50)`)
}

function parseList(given: unknown, spec: OptionSpec): Parsed {
  const items = typeof given === 'string' ? words(given) : given
  const isGood = Array.isArray(items) && items.every((item) => spec.choices?.includes(item as string) ?? true)
  return isGood ? good([...new Set(items as string[])]) : bad(`a list of ${oneOf(spec)}`)
}

/** Those of Prometheus, and the dots of OpenTelemetry. */
const labelName = /^[a-z_][\w.]*$/i
/** Labels that the metrics have already. */
const takenNames = new Set(['task', 'kind', 'outcome', 'queue', 'attribution', 'nested', 'basis', 'le'])

function parseNames(given: unknown): Parsed {
  const items = typeof given === 'string' ? words(given) : given
  const isGood =
    Array.isArray(items) &&
    items.every((item) => typeof item === 'string' && labelName.test(item) && !takenNames.has(item))
  return isGood
    ? good([...new Set(items as string[])])
    : bad('a list of names of letters, digits, _ and dots, such as tenant,model')
}

/** A UUID of a card or of a slice of one, or its beginning; as drivers before 470 wrote that of a slice, too. */
const gpuId = /^(?:MIG-)?(?:GPU-)?[\da-f][\da-f-]*(?:\/\d+\/\d+)?$/i

/** Texts may hold brackets and quotes, as lists of other languages do. A text with nothing in it was meant to have something in it. */
function parseIds(given: unknown): Parsed {
  const list = Array.isArray(given) ? (given as unknown[]) : [given]
  const items = list.flatMap((item) =>
    typeof item === 'string' ? words(item.replace(/^\s*[[(]|[\])]\s*$/g, '')).map(toId) : [item],
  )
  const isEmptyText = list.length > 0 && items.length === 0
  const isGood = items.every(
    (item) =>
      (typeof item === 'number' && Number.isInteger(item) && item >= 0) ||
      (typeof item === 'string' && gpuId.test(item)),
  )
  return isGood && !isEmptyText
    ? good(items)
    : bad('a list of whole numbers and UUIDs or their beginnings, such as 0,1 or GPU-8a56a4bc')
}

const toId = (word: string): string | number => {
  const bare = word.replace(/^(["'])(.*)\1$/, '$2')
  return /^\d+$/.test(bare) && Number.isSafeInteger(Number(bare)) ? Number(bare) : bare
}

const words = (text: string): string[] =>
  text
    .split(',')
    .map((word) => word.trim())
    .filter(Boolean)

function parseAddress(given: unknown, { httpsOnly }: OptionSpec): Parsed {
  const url = typeof given === 'string' && URL.canParse(given.trim()) ? new URL(given.trim()) : undefined
  if (httpsOnly !== true) {
    return url !== undefined && /^https?:$/.test(url.protocol)
      ? good(given)
      : bad('an address that begins with http:// or https://')
  }
  const isBare = url?.username === '' && url.password === '' && url.search === '' && url.hash === ''
  return url?.protocol === 'https:' && isBare && /^\/(?:redfish(?:\/v1)?\/?)?$/.test(url.pathname)
    ? good(given)
    : bad('an address of the form https://host or https://host:port')
}

const oneOf = ({ choices = [] }: OptionSpec): string =>
  choices.length < 2 ? choices.join('') : `${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}`
