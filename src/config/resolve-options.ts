import { ConfigError } from '../core/errors.ts'
import { nearest } from './nearest.ts'
import { optionSpecs, toSnakeCase, type GivenOptions, type Options, type OptionSpec } from './option-table.ts'

/** Options from one place, with the words to name that place in a message. */
export interface OptionSource {
  readonly values: Readonly<Record<string, unknown>>
  /** How this source spells an option: `measurePowerSecs`, `--measure-power-secs`, `CODECARBON_MEASURE_POWER_SECS`. */
  readonly spell: (name: string) => string
  /** Values are text that is to be read, such as `true` for a switch. */
  readonly isText: boolean
  /** Unknown keys are warned of instead of refused: the source is shared with other programs and versions. */
  readonly lenient: boolean
  /** Other keys that are understood there, though not by this table. */
  readonly others?: readonly string[]
}

/** Options with every default filled in, and what was odd but no error. */
export interface ResolvedOptions {
  readonly options: Options
  readonly warnings: readonly string[]
}

/**
 * Validates and completes options once, at the edge. Later sources override earlier ones.
 *
 * @throws ConfigError naming the option, where it came from, what came and what was expected
 */
export function resolveOptions(...sources: readonly OptionSource[]): ResolvedOptions {
  const values: Record<string, unknown> = {}
  const errors = new Map<string, string>()
  const warnings: string[] = []
  for (const [name, spec] of optionSpecs) values[name] = spec.default

  for (const source of sources) {
    for (const unknown of unknownKeys(source)) {
      if (!source.lenient) throw new ConfigError(unknown)
      warnings.push(unknown)
    }
    for (const [name, spec] of optionSpecs) {
      const given = source.values[name]
      if (given === undefined || given === null) continue
      const parsed = parseValue(given, spec, source.isText)
      if (parsed.ok) {
        values[name] = parsed.value
        const overridden = errors.get(name)
        if (overridden !== undefined) warnings.push(`${overridden}; a later source overrides it`)
        errors.delete(name)
      } else {
        errors.set(name, `${source.spell(name)}: expected ${parsed.expected}, got ${show(given)}`)
      }
    }
  }
  const [error] = errors.values()
  if (error !== undefined) throw new ConfigError(error)
  return { options: values as unknown as Options, warnings }
}

/** Options given in code. */
export const fromCode = (options: GivenOptions, others: readonly string[] = []): OptionSource => ({
  values: options,
  others,
  spell: (name) => `option ${name}`,
  isText: false,
  lenient: false,
})

/** Options given as command line flags, by their names in code. */
export const fromFlags = (flags: Readonly<Record<string, unknown>>): OptionSource => ({
  values: flags,
  spell: (name) => `--${toSnakeCase(name).replaceAll('_', '-')}`,
  isText: true,
  lenient: false,
})

const environmentPrefix = 'codecarbon_'

/** `CODECARBON_*` variables, in any case. */
export function fromEnvironment(environment: NodeJS.ProcessEnv): OptionSource {
  const byKey = new Map<string, string>(optionSpecs.map(([name]) => [toSnakeCase(name), name]))
  // Without a prototype, so that no variable's name means a property of every object.
  const values: Record<string, unknown> = Object.create(null)
  for (const [variable, text] of Object.entries(environment)) {
    const key = variable.toLowerCase()
    if (!key.startsWith(environmentPrefix)) continue
    const bare = key.slice(environmentPrefix.length)
    values[byKey.get(bare) ?? bare] = text
  }
  return {
    values,
    spell: (name) => `CODECARBON_${toSnakeCase(name).toUpperCase()}`,
    isText: true,
    lenient: true,
  }
}

function unknownKeys(source: OptionSource): string[] {
  const known = [...optionSpecs.map(([name]) => name as string), ...(source.others ?? [])]
  const bySnakeCase = new Map(known.map((name) => [toSnakeCase(name), name]))
  const own = new Set<string>(optionSpecs.map(([name]) => name))
  return Object.keys(source.values)
    .filter((key) => !own.has(key))
    .map((key) => {
      const closest = bySnakeCase.get(nearest(toSnakeCase(key), bySnakeCase.keys()) ?? '')
      const hint = closest === undefined ? '' : `; did you mean ${source.spell(closest)}?`
      return `${source.spell(key)}: there is no such option${hint}`
    })
}

type Parsed =
  { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly expected: string }

const switchWords: Readonly<Record<string, boolean>> = {
  true: true,
  yes: true,
  on: true,
  '1': true,
  false: false,
  no: false,
  off: false,
  '0': false,
}

function parseValue(given: unknown, spec: OptionSpec, isText: boolean): Parsed {
  switch (spec.type) {
    case 'number':
    case 'integer':
      return parseNumber(given, spec, isText)
    case 'switch': {
      const value = isText ? switchWords[String(given).trim().toLowerCase()] : given
      return typeof value === 'boolean' ? { ok: true, value } : { ok: false, expected: 'true or false' }
    }
    case 'choice':
      return spec.choices?.includes(given as string) === true
        ? { ok: true, value: given }
        : { ok: false, expected: oneOf(spec) }
    case 'list': {
      const items =
        typeof given === 'string'
          ? given
              .split(',')
              .map((item) => item.trim())
              .filter(Boolean)
          : given
      const good =
        Array.isArray(items) && items.every((item) => spec.choices?.includes(item as string) ?? true)
      return good ? { ok: true, value: items } : { ok: false, expected: `a list of ${oneOf(spec)}` }
    }
    case 'text':
      return typeof given === 'string' ? { ok: true, value: given } : { ok: false, expected: 'a text' }
  }
}

function parseNumber(given: unknown, spec: OptionSpec, isText: boolean): Parsed {
  const { min = -Infinity } = spec
  const isWritten = isText && typeof given === 'string' && given.trim() !== ''
  const value = isWritten ? Number(given) : given
  const good = typeof value === 'number' && Number.isFinite(value) && value >= min
  if (good && (spec.type === 'number' || Number.isInteger(value))) return { ok: true, value }
  const kind = spec.type === 'integer' ? 'a whole number' : 'a number'
  return { ok: false, expected: min === -Infinity ? kind : `${kind} of at least ${min}` }
}

const oneOf = (spec: OptionSpec): string => (spec.choices ?? []).join(' or ')

function show(given: unknown): string {
  if (typeof given === 'string') return `"${given}"`
  if (typeof given === 'number' || typeof given === 'boolean') return String(given)
  return Array.isArray(given) ? JSON.stringify(given) : typeof given
}
