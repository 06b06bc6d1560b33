import { ConfigError, messageOf } from '../core/errors.ts'
import { defaultScopes } from '../scopes/default-scopes.ts'
import type { ScopeSource } from '../scopes/process-scopes.ts'
import type { ScopeOptions, WorkScope } from '../scopes/work-scope.ts'

/** Where a hook begins its scopes. What goes wrong there never reaches the program. */
export interface HookScopes {
  /** `undefined` where that failed, or where it has failed so often that the hook is off. */
  begin(options: ScopeOptions): WorkScope | undefined
  /** Does something else for the hook, such as to ask a function of the program; `undefined` where that failed. */
  attempt<T>(action: () => T): T | undefined
}

/** In a row, after which a hook does nothing any more. */
const failuresToTurnOff = 3

/**
 * The first failure is told, and that the hook turns itself off where they go on; none is thrown.
 *
 * @param hook what is measured, for the messages
 * @param tracker as the user gave it; that of the process where it is `undefined`
 * @throws ConfigError where it is no tracker
 */
export function createHookScopes(hook: string, tracker: ScopeSource | undefined): HookScopes {
  if (tracker !== undefined && typeof tracker?.beginScope !== 'function')
    throw new ConfigError(`${hook}: option tracker: expected an EmissionsTracker`)
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
  const begin = (options: ScopeOptions): WorkScope | undefined => {
    if (failures >= failuresToTurnOff) return undefined
    const scope = attempt(() => (tracker ?? defaultScopes()).beginScope(options))
    failures = scope === undefined ? failures + 1 : 0
    if (failures === failuresToTurnOff)
      warn(`${hook} is no longer measured: that failed ${failures} times in a row`)
    return scope
  }
  return { begin, attempt }
}

const warn = (message: string): void => {
  process.emitWarning(message, 'CodeCarbonWarning')
}
