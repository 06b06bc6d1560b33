import { ConfigError } from '../core/errors.ts'
import { show } from '../core/show.ts'
import { nearest } from './nearest.ts'
import {
  goneOptions,
  namesInFiles,
  optionAliases,
  optionSpecs,
  specOf,
  waitingOutputs,
  type OptionName,
  type Options,
  type OptionSpec,
} from './option-table.ts'
import type { Entry, OptionSource, SourceKind } from './option-source.ts'
import { parseValue } from './parse-value.ts'
import { toSnakeCase } from './spelling.ts'

/** Where an effective value comes from. */
export interface Origin {
  readonly kind: 'default' | SourceKind
  /** The same in words: `/home/ada/.codecarbon.config:3`, `CODECARBON_PUE`, `--pue`; `undefined` for a default. */
  readonly where?: string | undefined
  readonly path?: string | undefined
  readonly line?: number | undefined
}

/** Options with every default filled in, where each came from, and what was odd but no error. */
export interface ResolvedOptions {
  readonly options: Options
  readonly origins: Readonly<Record<OptionName, Origin>>
  readonly warnings: readonly string[]
}

/**
 * Validates and completes options once, at the edge. Later sources override earlier ones, option by option.
 *
 * @throws ConfigError naming the option, where it came from, what came and what was expected
 */
export function resolveOptions(...sources: readonly OptionSource[]): ResolvedOptions {
  const values = new Map<OptionName, unknown>(optionSpecs.map(([name, spec]) => [name, spec.default]))
  const origins = new Map<OptionName, Origin>(optionSpecs.map(([name]) => [name, { kind: 'default' }]))
  const errors = new Map<OptionName, string>()
  const warnings: string[] = []

  for (const source of sources) {
    for (const { name, entry } of knownEntries(source, warnings)) {
      const spec = specOf(name)
      const parsed = parseValue(entry.value, spec, source.isText)
      if (!parsed.ok) {
        errors.set(
          name,
          `${entry.where}: expected ${parsed.expected}, got ${shown(entry.value, spec)}${hintFor(entry.value, spec)}`,
        )
        continue
      }
      const overridden = errors.get(name)
      if (overridden !== undefined) warnings.push(`${overridden}; ${entry.where} overrides it`)
      errors.delete(name)
      values.set(name, parsed.value)
      const { where, path, line } = entry
      origins.set(name, { kind: source.kind, where, path, line })
    }
  }
  const [idle, most] = [values.get('cpuIdleWatts'), values.get('cpuMaxWatts')]
  if (typeof idle === 'number' && typeof most === 'number' && idle >= most) {
    const where = origins.get('cpuIdleWatts')?.where ?? 'cpu_idle_watts'
    errors.set('cpuIdleWatts', `${where}: expected less than the ${most} W of cpu_max_watts, got ${idle}`)
  }
  if (errors.size > 0) throw new ConfigError([...errors.values()].join('\n'))

  const options = Object.fromEntries(values) as unknown as Options
  const outputMethods = outputsOf(options, origins)
  const decider = deciders.find((name) => origins.get(name)?.kind !== 'default')
  const remarks = remarksOn(origins, outputMethods)
  if (origins.get('outputMethods')?.kind === 'default' && decider !== undefined) {
    origins.set('outputMethods', origins.get(decider) ?? { kind: 'default' })
  }
  warnings.push(...remarks)
  return {
    options: { ...options, outputMethods },
    origins: Object.fromEntries(origins) as unknown as ResolvedOptions['origins'],
    warnings,
  }
}

interface KnownEntry {
  readonly name: OptionName
  readonly entry: Entry
}

/** Entries that are options, older names after the current ones' so that those win. */
function knownEntries(source: OptionSource, warnings: string[]): KnownEntry[] {
  const byName = new Map<OptionName, KnownEntry>()
  for (const entry of source.entries) {
    if (entry.value === undefined || entry.value === null) continue
    const found = source.find(entry.key)
    const alias = found === undefined ? optionAliases.get(toSnakeCase(entry.key)) : undefined
    const gone = goneOptions.get(toSnakeCase(entry.key))
    const name = found ?? alias
    if (name === undefined && gone !== undefined) {
      warnings.push(`${entry.where}: this option is gone and changes nothing: ${gone}`)
      continue
    }
    if (name === undefined) {
      const message = unknownMessage(source, entry)
      if (!source.isLenient) throw new ConfigError(message)
      warnings.push(message)
      continue
    }
    if (alias !== undefined) {
      const isOverridden = source.entries.some(({ key, value }) => source.find(key) === name && value != null)
      const what = isOverridden ? ', which is given too and counts' : ''
      warnings.push(`${entry.where}: this option is called ${source.spell(name)} now${what}`)
      if (isOverridden) continue
    }
    const twin = byName.get(name)
    if (twin !== undefined) warnings.push(`${twin.entry.where}: given again by ${entry.where}, which counts`)
    byName.set(name, { name, entry })
  }
  return [...byName.values()]
}

function unknownMessage(source: OptionSource, { key, where }: Entry): string {
  const others = new Map((source.others ?? []).map((name) => [toSnakeCase(name), name]))
  const candidates = [...namesInFiles.keys(), ...others.keys()]
  const closest = nearest(toSnakeCase(key), candidates)
  if (closest === undefined) return `${where}: there is no such option`
  return `${where}: there is no such option; did you mean ${source.spell(namesInFiles.get(closest) ?? others.get(closest) ?? closest)}?`
}

/** The word among the choices that a wrong one was most likely meant to be. */
function hintFor(value: unknown, { choices, secret }: OptionSpec): string {
  if (choices === undefined || secret === true || typeof value !== 'string') return ''
  const wrong = value
    .split(',')
    .map((word) => word.trim())
    .find((word) => !choices.includes(word))
  const closest = wrong === undefined ? undefined : nearest(wrong, choices)
  return closest === undefined ? '' : `; did you mean ${closest}?`
}

const shown = (value: unknown, spec: OptionSpec): string =>
  spec.secret === true ? `a ${typeof value} that is not shown` : show(value)

/** Where figures go in the end: `output_methods`, else what the older `save_to_*` say; and what a port or a switch turns on besides. */
function outputsOf(options: Options, origins: ReadonlyMap<OptionName, Origin>): Options['outputMethods'] {
  const isGiven = origins.get('outputMethods')?.kind !== 'default'
  const older = {
    csv: options.saveToFile,
    api: options.saveToApi,
    logger: options.saveToLogger,
    prometheus: options.saveToPrometheus,
    logfire: options.saveToLogfire,
  } as const
  const methods = new Set(
    isGiven
      ? options.outputMethods
      : (Object.keys(older) as (keyof typeof older)[]).filter((name) => older[name]),
  )
  if (options.prometheusPort !== undefined) methods.add('prometheus_pull')
  if (options.otlp) methods.add('otlp')
  return [...methods]
}

/** Options that say where figures go where `output_methods` does not. */
const deciders = [
  ...(['saveToFile', 'saveToApi', 'saveToLogger', 'saveToPrometheus', 'saveToLogfire'] as const),
  ...(['prometheusPort', 'otlp'] as const),
]

function remarksOn(origins: ReadonlyMap<OptionName, Origin>, outputMethods: readonly string[]): string[] {
  const remarks: string[] = []
  const waiting = new Map<string, string[]>()
  const wait = (waitsFor: string, who: string): void => {
    waiting.set(waitsFor, [...(waiting.get(waitsFor) ?? []), who])
  }
  for (const [name, { kind, where = '' }] of origins) {
    if (kind === 'default') continue
    const { deprecated, waitsFor, destination, needs } = specOf(name)
    if (needs !== undefined && origins.get(needs as OptionName)?.kind === 'default') {
      remarks.push(`${where} changes nothing without ${toSnakeCase(needs)}`)
    }
    if (waitsFor !== undefined) wait(waitsFor, where)
    if (destination !== undefined && kind === 'working directory') {
      remarks.push(`${where} says where ${destination} are sent; that file is in the working directory`)
    }
    if (deprecated !== undefined) {
      const wins = origins.get('outputMethods')?.kind !== 'default' ? ', which is given and counts' : ''
      remarks.push(`${where}: this option is deprecated; use ${toSnakeCase(deprecated)}${wins}`)
    }
  }
  for (const method of outputMethods) {
    const waitsFor = waitingOutputs[method]
    if (waitsFor !== undefined) wait(waitsFor, `output ${method}`)
  }
  for (const [waitsFor, who] of waiting) {
    remarks.push(`${waitsFor}: not in this version, so nothing comes of ${who.join(', ')}`)
  }
  return remarks
}
