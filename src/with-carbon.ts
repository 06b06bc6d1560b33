import { ConfigError } from './core/errors.ts'
import { checkNames } from './scopes/check-options.ts'
import { createHookScopes } from './scopes/hook-scopes.ts'
import { isAsync, standFor } from './scopes/measured-function.ts'
import type { ScopeSource } from './scopes/process-scopes.ts'
import { runToCallback } from './scopes/run-to-callback.ts'
import { runToEnd } from './scopes/run-to-end.ts'
import { isScopeKind, scopeKinds } from './scopes/scope-kinds.ts'
import type { ScopeKind, ScopeLabels, ScopeRecord } from './scopes/work-scope.ts'

/** Options of {@link withCarbon}. */
export interface WithCarbonOptions {
  /** A tracker. @default that of the process, which is begun where there is none */
  readonly tracker?: ScopeSource | undefined
  /** @default 'job' */
  readonly kind?: ScopeKind | undefined
  /** Names of a few values each. */
  readonly labels?: ScopeLabels | undefined
  /**
   * Whether the function calls its last argument when it is done, with an error where it failed, and is measured until then: `(job, done) => …`.
   * @default false: until it returns, or the promise that it returns has settled
   */
  readonly done?: boolean | undefined
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
  check(options)
  const { tracker, kind = 'job', labels, done = false, onRecord } = options
  const scopes = createHookScopes('withCarbon', tracker)

  function carbon(this: This, ...args: Args): Result {
    const scope = scopes.begin({ name, kind, labels })
    if (scope === undefined) return fn.apply(this, args)
    const end = (outcome: string): void => {
      scope.end(outcome)
      if (onRecord !== undefined) scopes.tell(scope, onRecord)
    }
    const run = (given: Args): Result => scope.run(() => fn.apply(this, given))
    return done
      ? runToCallback(args, run, end, isAsync(fn))
      : runToEnd(() => run(args), end, undefined, isAsync(fn))
  }
  return standFor(carbon, fn)
}

function check(options: WithCarbonOptions): void {
  checkNames('withCarbon', options, { tracker: true, kind: true, labels: true, done: true, onRecord: true })
  const { kind, labels, done, onRecord } = options
  const refuse = (name: string, expected: string, given: unknown): never => {
    throw new ConfigError(
      `withCarbon: option ${name}: expected ${expected}, got ${given === null ? 'null' : typeof given}`,
    )
  }
  if (kind !== undefined && !isScopeKind(kind))
    throw new ConfigError(
      `withCarbon: option kind: expected one of ${scopeKinds.join(', ')}, got ${JSON.stringify(kind)}`,
    )
  if (labels !== undefined && (typeof labels !== 'object' || labels === null))
    refuse('labels', 'an object of texts', labels)
  if (done !== undefined && typeof done !== 'boolean') refuse('done', 'true or false', done)
  if (onRecord !== undefined && typeof onRecord !== 'function') refuse('onRecord', 'a function', onRecord)
}
