import { InvalidArgumentError, Option, type Command } from 'commander'
import {
  optionSpecs,
  toSnakeCase,
  type OptionName,
  type Options,
  type OptionSpec,
} from '../config/option-table.ts'
import { fromEnvironment, fromFlags, resolveOptions } from '../config/resolve-options.ts'
import type { Log } from '../log.ts'

/** Adds a flag for each option named; help, default and choices come from the option table. */
export function addOptions(command: Command, names: readonly OptionName[]): void {
  for (const [name, spec] of optionSpecs) {
    if (names.includes(name)) command.addOption(toFlag(name, spec))
  }
}

/** Options of this call: flags over environment over defaults. */
export function optionsFrom(
  flags: Readonly<Record<string, unknown>>,
  names: readonly OptionName[],
  log: Log,
): Options {
  const given: Record<string, unknown> = {}
  for (const name of names) given[name] = flags[flagKey(name)]
  const { options, warnings } = resolveOptions(fromEnvironment(process.env), fromFlags(given))
  for (const warning of warnings) log('warning', warning)
  return options
}

/** Key under which commander keeps a flag: its own camelCase of the words between dashes. */
const flagKey = (name: OptionName): string =>
  toDashes(name).replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())

const toDashes = (name: string): string => toSnakeCase(name).replaceAll('_', '-')

function toFlag(name: OptionName, spec: OptionSpec): Option {
  const value =
    spec.type === 'switch' ? '[true|false]' : `<${spec.type === 'list' ? 'list' : valueName(spec)}>`
  const fallback =
    spec.default === undefined || spec.default === '' ? '' : ` (default: ${[spec.default].flat().join(',')})`
  const option = new Option(`--${toDashes(name)} ${value}`, `${spec.help}${fallback}`)
  return spec.type === 'switch' ? option.preset('true') : option.argParser(notEmpty)
}

const valueName = ({ type, choices }: OptionSpec): string =>
  type === 'choice' ? (choices ?? []).join('|') : type === 'text' ? 'text' : 'number'

function notEmpty(value: string): string {
  if (value.startsWith('--')) throw new InvalidArgumentError(`A value is missing before ${value}.`)
  return value
}
