import type { Command } from 'commander'
import { optionSpecs, type OptionName, type OptionSpec } from '../config/option-table.ts'
import type { Origin } from '../config/resolve-options.ts'
import { toSnakeCase } from '../config/spelling.ts'
import { maskAddress } from '../core/show.ts'
import { printable } from '../log.ts'
import { addOptions, optionsFrom, type Loaded } from './options.ts'

/**
 * `codecarbon config`: the value of every option, where it comes from, and its default; with `--wizard` what `codecarbon config` of Python is.
 */
export function addConfig(program: Command): void {
  const command = program
    .command('config')
    .description('show every option that is in effect, where its value comes from, and its default')
    .option('--show', 'show the options in effect; what this command does in any case')
    .option('--all', 'show those that nobody gave, too')
    .option('--json', 'print JSON, with all options')
    .option(
      '--wizard',
      'ask for what the CodeCarbon API needs, and write it into a configuration file; codecarbon init does so by flags',
    )
  addOptions(command, undefined, {})
  command.action(async (flags: Record<string, unknown>) => {
    const loaded = optionsFrom(flags, {})
    if (flags['wizard'] === true) {
      const { runWizard } = await import('./account/initialize.ts')
      await runWizard(flags, loaded)
      return
    }
    process.stdout.write(flags['json'] === true ? toJson(loaded) : toText(loaded, flags['all'] === true))
  })
}

function toJson({ options, origins, files }: Loaded): string {
  const entries = optionSpecs.map(([name, spec]) => [
    toSnakeCase(name),
    {
      value: isHidden(name, spec, options) ? null : masked(options[name] ?? null),
      ...(isHidden(name, spec, options) ? { secret: true } : {}),
      source: origins[name].kind,
      where: origins[name].where ?? null,
      file: origins[name].path ?? null,
      line: origins[name].line ?? null,
      default: spec.default ?? null,
    },
  ])
  return `${JSON.stringify({ files, options: Object.fromEntries(entries) as object }, undefined, 2)}\n`
}

function toText(loaded: Loaded, isAll: boolean): string {
  const { options, origins, files } = loaded
  const shown = optionSpecs.filter(([name]) => isAll || origins[name].kind !== 'default')
  const rows = shown.map(([name, spec]) => [
    toSnakeCase(name),
    isHidden(name, spec, options) ? '(not shown)' : inWords(options[name]),
    describe(origins[name]),
    origins[name].kind === 'default' || spec.default === undefined ? '' : `default: ${inWords(spec.default)}`,
  ])
  const widths = [0, 1, 2].map((column) => Math.max(0, ...rows.map((row) => row[column]?.length ?? 0)))
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  const head = files.length === 0 ? 'no configuration file' : `read: ${files.join(', ')}`
  const rest = optionSpecs.length - shown.length
  return `${[head, ...lines, ...(rest > 0 ? [`${rest} options have their defaults: --all shows them`] : [])].join('\n')}\n`
}

const isHidden = (name: OptionName, spec: OptionSpec, options: Loaded['options']): boolean =>
  spec.secret === true && options[name] !== undefined

const masked = (value: unknown): unknown => (typeof value === 'string' ? maskAddress(value) : value)

/** A value on one line; an empty one is seen to be there. */
function inWords(value: unknown): string {
  if (value === undefined) return '-'
  if (Array.isArray(value)) return value.length === 0 ? '(none)' : value.join(',')
  return value === '' ? '""' : printable(String(masked(value)))
}

function describe({ kind, where }: Origin): string {
  return kind === 'default' ? 'default' : printable((where ?? kind).replace(/: [\w ]+$/, ''))
}
