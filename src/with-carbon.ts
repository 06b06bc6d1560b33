import { ConfigError, messageOf } from './core/errors.ts'
import { defaultScopes } from './scopes/default-scopes.ts'
import type { ScopeSource } from './scopes/process-scopes.ts'
import type { ScopeKind, ScopeLabels, ScopeRecord, WorkScope } from './scopes/work-scope.ts'
import { isThenable } from './thenable.ts'

/** Options of {@link withCarbon}. */
export interface WithCarbonOptions {
  /** A tracker. @default that of the process, which is begun where there is none */
  readonly tracker?: ScopeSource | undefined
  /** @default 'job' */
  readonly kind?: ScopeKind | undefined
  /** Names of a few values each, or what makes them of the arguments. */
  readonly labels?: ScopeLabels | undefined
  /** Is given what each call has used, some moments after its end. */
  readonly onRecord?: ((record: ScopeRecord) => void) | undefined
}

/**
 * Makes each call of a function a scope: its energy and emissions are told by its name and outcome. Results and errors pass through, and so do `this`, the
 * arguments, and how many of them the function takes, which some job runners look at.
 *
 * @throws ConfigError for a wrong argument
 * @example
 * cron.schedule('0 3 * * *', withCarbon('nightly report', report))
 */
export function withCarbon<This, Args extends unknown[], Result>(
  name: string,
  fn: (this: This, ...args: Args) => Result,
  options: WithCarbonOptions = {},
): (this: This, ...args: Args) => Result {
  if (typeof name !== 'string' || name === '')
    throw new ConfigError(`withCarbon: expected a name, got ${name === '' ? 'an empty text' : typeof name}`)
  if (typeof fn !== 'function')
    throw new ConfigError(`withCarbon: expected a function behind the name, got ${typeof fn}`)
  const { tracker, kind = 'job', labels, onRecord } = options

  function carbon(this: This, ...args: Args): Result {
    const scope = (tracker ?? defaultScopes()).beginScope({ name, kind, labels })
    const end = (outcome: string): void => {
      scope.end(outcome)
      if (onRecord !== undefined) void tell(scope, onRecord)
    }
    let result: Result
    try {
      result = scope.run(() => fn.apply(this, args))
    } catch (error) {
      end('error')
      throw error
    }
    if (!isThenable(result)) {
      end('ok')
      return result
    }
    return Promise.resolve(result).then(
      (value: unknown) => {
        end('ok')
        return value
      },
      (error: unknown) => {
        end('error')
        throw error
      },
    ) as Result
  }
  Object.defineProperty(carbon, 'name', { value: fn.name, configurable: true })
  Object.defineProperty(carbon, 'length', { value: fn.length, configurable: true })
  return carbon
}

/** Whoever is told may throw, which is not the business of the function. */
async function tell(scope: WorkScope, onRecord: (record: ScopeRecord) => void): Promise<void> {
  try {
    const record = await scope.settled()
    if (record !== undefined) onRecord(record)
  } catch (error) {
    process.emitWarning(
      `withCarbon: onRecord of ${scope.name} failed: ${messageOf(error)}`,
      'CodeCarbonWarning',
    )
  }
}
