import { ConfigError, messageOf } from '../core/errors.ts'
import { show } from '../core/show.ts'
import { defaultScopes } from './default-scopes.ts'
import type { ScopeSource } from './process-scopes.ts'
import type { ScopeOptions, ScopeRecord, WorkScope } from './work-scope.ts'

/** Where a hook begins its scopes. What goes wrong there never reaches the program. */
export interface HookScopes {
  /**
   * `undefined` where that failed, or where it has failed so often that the hook is off.
   *
   * @param otherwise where scopes are begun that the user gave no tracker for. @default that of the process
   */
  begin(options: ScopeOptions, otherwise?: () => ScopeSource): WorkScope | undefined
  /** Does something else for the hook, such as to ask a function of the program; `undefined` where that failed. */
  attempt<T>(action: () => T): T | undefined
  /** Hands over what a scope has used that has ended, some moments later. */
  tell(scope: WorkScope, onRecord: (record: ScopeRecord) => unknown): void
}

/** In a row, after which a hook does nothing any more. */
const failuresToTurnOff = 3

/**
 * The first failure is told, and that the hook turns itself off where they go on; none is thrown.
 *
 * @param hook what is measured, for the messages
 * @param tracker as the user gave it; that of the process where it is `undefined`
 * @param door the function that was given it, for the message. @default the same as `hook`
 * @throws ConfigError where it is no tracker
 */
export function createHookScopes(
  hook: string,
  tracker: ScopeSource | undefined,
  door: string = hook,
): HookScopes {
  if (tracker !== undefined && typeof tracker?.beginScope !== 'function')
    throw new ConfigError(`${door}: option tracker: expected an EmissionsTracker, got ${show(tracker)}`)
  let failures = 0
  let hasTold = false

  const attempt = <T>(action: () => T): T | undefined => {
    try {
      return action()
    } catch (error) {
      if (!hasTold) warn(`${hook}: ${messageOf(error)}`)
      hasTold = true
      return undefined
    }
  }
  const begin: HookScopes['begin'] = (options, otherwise = defaultScopes) => {
    if (failures >= failuresToTurnOff) return undefined
    const scope = attempt(() => (tracker ?? otherwise()).beginScope(options))
    failures = scope === undefined ? failures + 1 : 0
    if (failures === failuresToTurnOff)
      warn(`${hook} is no longer measured: that failed ${failures} times in a row`)
    return scope
  }
  const tell = async (scope: WorkScope, onRecord: (record: ScopeRecord) => unknown): Promise<void> => {
    try {
      const record = await scope.settled()
      if (record !== undefined) await onRecord(record)
    } catch (error) {
      attempt(() => {
        throw new Error(`what ${scope.name} has used could not be told: ${messageOf(error)}`, {
          cause: error,
        })
      })
    }
  }
  return {
    begin,
    attempt,
    tell(scope, onRecord) {
      void tell(scope, onRecord)
    },
  }
}

const warn = (message: string): void => {
  process.emitWarning(message, 'CodeCarbonWarning')
}
