import { namesInFiles, optionTable, type OptionName } from './option-table.ts'
import { toFlag, toSnakeCase, toVariable } from './spelling.ts'

/** The kinds of places that options come from, lowest first. */
export type SourceKind = 'home' | 'working directory' | 'environment' | 'code' | 'command line'

/** One option as it was given. */
export interface Entry {
  /** The name as it was given, without what all names there begin with. */
  readonly key: string
  readonly value: unknown
  /** Where that was, in the words of a message: `/home/ada/.codecarbon.config:3: pue`, `CODECARBON_PUE`, `--pue`, `option pue`. */
  readonly where: string
  readonly path?: string
  readonly line?: number
}

/** Options from one place. */
export interface OptionSource {
  readonly kind: SourceKind
  readonly entries: readonly Entry[]
  /** The option that a key of this place means. */
  readonly find: (key: string) => OptionName | undefined
  /** How this place spells an option. */
  readonly spell: (name: string) => string
  /** Values are text that is to be read, such as `true` for a switch. */
  readonly isText: boolean
  /** Unknown keys are warned of instead of refused: the place is shared with other programs and versions. */
  readonly isLenient: boolean
  /** Other keys that are understood there, though not by the table. */
  readonly others?: readonly string[]
}

const findByName = (key: string): OptionName | undefined =>
  Object.hasOwn(optionTable, key) ? (key as OptionName) : undefined

const findInFile = (key: string): OptionName | undefined => namesInFiles.get(key.toLowerCase())

/** Options given in code; `others` are taken by whoever calls. */
export function fromCode(options: object, others: readonly string[] = []): OptionSource {
  const entries = Object.entries(options)
    .filter(([key]) => !others.includes(key))
    .map(([key, value]) => ({ key, value: value as unknown, where: `option ${key}` }))
  return {
    kind: 'code',
    entries,
    others,
    find: findByName,
    spell: (name) => `option ${name}`,
    isText: false,
    isLenient: false,
  }
}

/** Options given as command line flags, by their names in code. */
export const fromFlags = (flags: Readonly<Record<string, unknown>>): OptionSource => ({
  kind: 'command line',
  entries: Object.entries(flags).map(([key, value]) => ({ key, value, where: toFlag(key) })),
  find: findByName,
  spell: toFlag,
  isText: true,
  isLenient: false,
})

const variablePrefix = 'codecarbon_'

/** `CODECARBON_*` variables, in any case. One that is empty, as many tools leave those that are not set, gives nothing but an empty text. */
export const fromEnvironment = (environment: NodeJS.ProcessEnv): OptionSource => ({
  kind: 'environment',
  entries: Object.entries(environment)
    .filter(([variable]) => variable.toLowerCase().startsWith(variablePrefix))
    .map(([variable, value]) => {
      const key = variable.slice(variablePrefix.length).toLowerCase()
      const name = namesInFiles.get(key)
      const isNothing = value === '' && name !== undefined && optionTable[name].type !== 'text'
      return { key, value: isNothing ? undefined : value, where: variable }
    }),
  find: findInFile,
  spell: toVariable,
  isText: true,
  isLenient: true,
})

/** Options of a configuration file. */
export const fromFile = (kind: SourceKind, entries: readonly Entry[]): OptionSource => ({
  kind,
  entries,
  find: findInFile,
  spell: toSnakeCase,
  isText: true,
  isLenient: true,
})
