import { ConfigError } from '../../core/errors.ts'
import { show } from '../../core/show.ts'
import { checkNames } from '../../scopes/check-options.ts'
import type { ScopeSource } from '../../scopes/process-scopes.ts'
import type { ScopeRecord } from '../../scopes/work-scope.ts'

/** Options of the callback and of the hook. */
export interface TfjsOptions {
  /** A tracker. @default that of the process, which is begun where there is none */
  readonly tracker?: ScopeSource | undefined
  /** Of the scope of each training. One of few. @default 'fit' */
  readonly name?: string | undefined
  /** Tells each epoch by itself as well, as part of the training. @default true */
  readonly epochs?: boolean | undefined
  /** Counts each batch as a functional unit, for the SCI. @default false */
  readonly countBatches?: boolean | undefined
  /** Is given what each training, and each epoch, has used, some moments after its end. */
  readonly onRecord?: ((record: ScopeRecord) => void) | undefined
}

/** The same, complete. */
export interface CompleteTfjsOptions {
  readonly tracker: ScopeSource | undefined
  readonly name: string
  readonly epochs: boolean
  readonly countBatches: boolean
  readonly onRecord: ((record: ScopeRecord) => void) | undefined
}

/** @throws ConfigError for a wrong option */
export function completeOptions(door: string, given: TfjsOptions): CompleteTfjsOptions {
  checkNames(door, given, { tracker: true, name: true, epochs: true, countBatches: true, onRecord: true })
  const { tracker, name = 'fit', epochs = true, countBatches = false, onRecord } = given
  if (typeof name !== 'string' || name === '')
    throw new ConfigError(`${door}: option name: expected a name that is not empty, got ${show(name)}`)
  for (const [option, value] of Object.entries({ epochs, countBatches }))
    if (typeof value !== 'boolean')
      throw new ConfigError(`${door}: option ${option}: expected true or false, got ${show(value)}`)
  if (onRecord !== undefined && typeof onRecord !== 'function')
    throw new ConfigError(`${door}: option onRecord: expected a function, got ${show(onRecord)}`)
  return { tracker, name, epochs, countBatches, onRecord }
}
