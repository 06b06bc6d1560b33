import { ConfigError } from '../../core/errors.ts'
import { checkNames } from '../../scopes/check-options.ts'
import type { ScopeSource } from '../../scopes/process-scopes.ts'
import type { ScopeRecord } from '../../scopes/work-scope.ts'
import { createJobNameBound } from '../hook-parts/job-name-bound.ts'
import { runToEnd } from '../../scopes/run-to-end.ts'
import { JobScopes } from '../hook-parts/job-scopes.ts'
import { isAsync, standFor } from '../../scopes/measured-function.ts'

/** A job of pg-boss, as far as it is needed here. */
export interface PgBossJob {
  readonly id: string
  /** Of its queue. */
  readonly name: string
  // oxlint-disable-next-line typescript/no-explicit-any -- what the jobs of a queue hold is for those to say who make them, as in pg-boss itself
  readonly data?: any
  readonly signal?: AbortSignal | undefined
}

/** Options of {@link withCarbon}. */
export interface CarbonHandlerOptions<Job> {
  /** A tracker. @default that of the process, which is begun where there is none */
  readonly tracker?: ScopeSource | undefined
  /** Is given what each batch has used, some moments after its end. */
  readonly onRecord?: ((record: ScopeRecord, jobs: readonly Job[]) => unknown) | undefined
}

const boundQueueName = createJobNameBound()

/**
 * Makes each call of a handler of pg-boss a scope of kind `job` with the name of the queue. A handler is given a batch of jobs and nobody else can tell
 * what each of them used: a batch of several is one scope, with the label `batch`.
 *
 * The outcome is `completed`, `failed`, `partly failed` where the handler tells the results of each job (`perJobResults`) and some of them failed, or
 * `aborted` where the time of the jobs was over before the handler was done. Results, errors, `this` and all arguments pass through.
 *
 * @throws ConfigError for a wrong argument
 * @example
 * await boss.work('mails', withCarbon(async ([job]) => send(job.data)))
 */
export function withCarbon<This, Job extends PgBossJob, Rest extends unknown[], Result>(
  handler: (this: This, jobs: Job[], ...rest: Rest) => Result,
  options: CarbonHandlerOptions<Job> = {},
): (this: This, jobs: Job[], ...rest: Rest) => Result {
  check(handler, options)
  const { tracker, onRecord } = options
  const scopes = new JobScopes('codecarbon/pg-boss', tracker)

  function carbon(this: This, jobs: Job[], ...rest: Rest): Result {
    const call = (): Result => handler.call(this, jobs, ...rest)
    const batch: readonly Job[] = Array.isArray(jobs) ? jobs : []
    const queue = boundQueueName(batch[0]?.name)
    const labels = batch.length > 1 ? { queue, batch: 'true' } : { queue }
    const scope = scopes.begin({ name: queue, labels })
    if (scope === undefined) return call()
    return runToEnd(
      () => scope.run(call),
      (outcome) => {
        scope.end(outcome)
        if (onRecord !== undefined) scopes.tell(scope, (record) => onRecord(record, batch))
      },
      {
        ofResult: (result) => (isAborted(batch) ? 'aborted' : outcomeOf(result, batch)),
        ofError: () => (isAborted(batch) ? 'aborted' : 'failed'),
      },
      isAsync(handler),
    )
  }
  return standFor(carbon, handler)
}

const isAborted = (batch: readonly PgBossJob[]): boolean =>
  batch.length > 0 && batch.every(({ signal }) => signal?.aborted === true)

const statuses = new Set<unknown>(['completed', 'failed', 'deadletter'])

/** Of results for each job; any other result is that of a handler that has completed the whole batch. */
function outcomeOf(result: unknown, batch: readonly PgBossJob[]): string {
  const ids = new Set<unknown>(batch.map(({ id }) => id))
  const isOfJobs = (given: unknown): given is readonly { status: unknown }[] =>
    Array.isArray(given) &&
    given.length > 0 &&
    given.every((one: unknown) => isObject(one) && ids.has(one['id']) && statuses.has(one['status']))
  if (!isOfJobs(result)) return 'completed'
  // A job that is left out fails, too.
  const completed = result.filter(({ status }) => status === 'completed').length
  if (completed === batch.length) return 'completed'
  return completed === 0 ? 'failed' : 'partly failed'
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null

function check(handler: unknown, options: unknown): void {
  if (typeof handler !== 'function')
    throw new ConfigError(`withCarbon: expected a handler function, got ${typeof handler}`)
  if (typeof options !== 'object' || options === null)
    throw new ConfigError(
      `withCarbon: expected options behind the handler, got ${options === null ? 'null' : typeof options}`,
    )
  const given = options as CarbonHandlerOptions<unknown>
  checkNames('withCarbon', given, { tracker: true, onRecord: true })
  const { tracker, onRecord } = given
  if (tracker !== undefined && typeof tracker?.beginScope !== 'function')
    throw new ConfigError('option tracker: expected an EmissionsTracker')
  if (onRecord !== undefined && typeof onRecord !== 'function')
    throw new ConfigError(`option onRecord: expected a function, got ${typeof onRecord}`)
}
