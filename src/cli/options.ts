import { InvalidArgumentError, Option, type Command } from 'commander'
import { loadOptions, type LoadedOptions } from '../config/load-options.ts'
import {
  optionGroups,
  optionSpecs,
  type OptionName,
  type OptionSpec,
  waitingOutputs,
} from '../config/option-table.ts'
import { fromFlags } from '../config/option-source.ts'
import { toFlag } from '../config/spelling.ts'
import { createLog, type Log, type LogOptions } from '../log.ts'

/** The options of a call. */
export type Loaded = LoadedOptions & {
  /** The log that the options ask for. */
  readonly log: Log
}

/** Adds a flag for each option of these groups and names, or for all; help, unit, default and choices come from the option table. */
export function addOptions(
  command: Command,
  wanted: readonly (keyof typeof optionGroups | OptionName)[] = allGroups,
  defaults: CommandDefaults = quietly,
): void {
  for (const [name, spec] of optionSpecs) {
    if (!wanted.includes(spec.group) && !wanted.includes(name)) continue
    for (const flag of toFlags(name, { ...spec, ...defaultOf(name, spec, defaults) })) command.addOption(flag)
  }
  command.addHelpText(
    'after',
    '\nThe options below a heading of their own can also be given in ~/.codecarbon.config, in ./.codecarbon.config and by a CODECARBON_* variable;\ncodecarbon config shows which are in effect.',
  )
}

/** Defaults of a command that differ from the table's. */
export type CommandDefaults = Readonly<Partial<Record<OptionName, string>>>

/** What a command says itself is its message: its log is quieter than a program's tracker. */
export const quietly: CommandDefaults = { logLevel: 'warning' }

const defaultOf = (
  name: OptionName,
  spec: OptionSpec,
  defaults: CommandDefaults,
): Pick<OptionSpec, 'default'> => {
  const value = defaults[name] ?? spec.default
  return value === undefined ? {} : { default: value }
}

const allGroups = Object.keys(optionGroups) as (keyof typeof optionGroups)[]

/**
 * Options of this call from all places, warnings told.
 *
 * @throws ConfigError for a wrong option
 */
export function optionsFrom(
  flags: Readonly<Record<string, unknown>>,
  defaults: CommandDefaults = quietly,
  logOptions: Partial<LogOptions> = {},
): Loaded {
  const given: Record<string, unknown> = {}
  for (const [name] of optionSpecs) given[name] = flags[flagKey(name)]
  const loaded = loadOptions(fromFlags(given))
  const options = { ...loaded.options }
  for (const [name, value] of Object.entries(defaults)) {
    if (loaded.origins[name as OptionName].kind === 'default') Object.assign(options, { [name]: value })
  }
  const log = createLog({ level: options.logLevel, preamble: options.loggerPreamble, ...logOptions })
  if (loaded.files.length > 0) log('debug', `options are read from ${loaded.files.join(' and ')}`)
  for (const warning of loaded.warnings) log('warning', warning)
  return { ...loaded, options, log }
}

/** Key under which commander keeps a flag: its own camelCase of the words between dashes. */
const flagKey = (name: OptionName): string =>
  toFlag(name)
    .slice(2)
    .replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())

/** The flag of an option, and for a switch that which turns it off. */
function toFlags(name: OptionName, spec: OptionSpec): Option[] {
  const option = new Option(`${toFlag(name)} ${valueName(spec)}`, helpOf(spec)).helpGroup(
    `${optionGroups[spec.group]}:`,
  )
  if (spec.deprecated !== undefined || spec.waitsFor !== undefined) option.hideHelp()
  if (spec.type !== 'switch') return [option.argParser(notAFlag)]
  return [option, new Option(`--no-${toFlag(name).slice(2)}`).hideHelp()]
}

function helpOf({ help, default: fallback, unit }: OptionSpec): string {
  const value = [fallback ?? ''].flat().join(',')
  const facts = [unit ?? '', value === '' ? '' : `default: ${value}`].filter(Boolean).join('; ')
  return facts === '' ? help : `${help} (${facts})`
}

function valueName({ type, choices = [] }: OptionSpec): string {
  switch (type) {
    case 'switch':
      return '[true|false]'
    case 'choice':
    case 'level':
      return `<${choices.join('|')}>`
    case 'list':
      return `<${choices.filter((choice) => !(choice in waitingOutputs)).join(',')}>`
    case 'ids':
    case 'names':
      return '<list>'
    case 'number':
    case 'integer':
      return '<number>'
    case 'url':
      return '<url>'
    case 'text':
      return '<text>'
  }
}

function notAFlag(value: string): string {
  if (value.startsWith('--')) throw new InvalidArgumentError(`A value is missing before ${value}.`)
  return value
}
