import { isMainThread } from 'node:worker_threads'
import { ConfigError } from '../../core/errors.ts'
import { formatEnergy, formatMass } from '../../exporters/text/quantity.ts'
import { checkNames } from '../../scopes/check-options.ts'
import { scopeStorage } from '../../scopes/current-scope.ts'
import type { ScopeSource } from '../../scopes/process-scopes.ts'
import type { ScopeRecord } from '../../scopes/work-scope.ts'
import { runToEnd, type Outcomes } from '../../scopes/run-to-end.ts'
import { JobScopes } from '../hook-parts/job-scopes.ts'
import { isAsync, standFor } from '../../scopes/measured-function.ts'
import { boundJobName, labelsOf } from './job-names.ts'
import { moveOf, processorOutcomes } from './job-outcome.ts'
import { telemetryJobOf, type TelemetryJob } from './telemetry-job.ts'

/** A job of BullMQ, as far as it is needed here. */
export interface BullJob {
  readonly id?: string | undefined
  readonly name: string
  readonly queueName: string
  readonly attemptsMade: number
  readonly attemptsStarted?: number | undefined
  // oxlint-disable-next-line typescript/no-explicit-any -- what the jobs of a queue hold is for those to say who make them, as in BullMQ itself
  readonly data: any
  log(row: string): Promise<unknown>
}

/** Options of {@link withCarbon}. */
export interface CarbonProcessorOptions<Job> {
  /** A tracker. @default that of the process, which is begun where there is none */
  readonly tracker?: ScopeSource | undefined
  /** Adds a line to the log of the job with energy and emissions of each attempt. Not in a sandbox. @default false */
  readonly log?: boolean | undefined
  /** Is given what each attempt has used, some moments after its end. Not in a sandbox. */
  readonly onRecord?: ((record: ScopeRecord, job: Job) => unknown) | undefined
}

/**
 * Makes each attempt at a job a scope of kind `job` with the name of the job, its queue as a label, and the outcome `completed`, `failed`, or where the
 * processor has moved the job to: `delayed`, `waiting`, `waiting-children`, `rate-limited`. Results, errors, `this` and the number of parameters pass through.
 *
 * In the file of a sandboxed processor it measures in the process or thread that runs the job, whose CPU time `codecarbon/register` tells to the tracker of the
 * process that has the worker: those figures are exact, and not known where the job runs.
 *
 * @throws ConfigError for a wrong argument
 * @example
 * new Worker('thumbnails', withCarbon(async (job) => resize(job.data)), { connection })
 */
export function withCarbon<This, Job extends BullJob, Rest extends unknown[], Result>(
  processor: (this: This, job: Job, ...rest: Rest) => Result,
  options: CarbonProcessorOptions<Job> = {},
): (this: This, job: Job, ...rest: Rest) => Result {
  check(processor, options)
  const { tracker, log = false, onRecord } = options
  const scopes = new JobScopes('codecarbon/bullmq', tracker)

  function carbon(this: This, job: Job, ...rest: Rest): Result {
    const call = (): Result => processor.call(this, job, ...rest)
    const tellers = tellersOf(job)
    const within = attemptOf(job)
    if (within !== undefined) {
      for (const tell of tellers) within.onRecord(tell)
      return runToEnd(call, () => undefined, movesTo(within), isAsync(processor))
    }
    const about = { name: boundJobName(job.name), labels: labelsOf(job.queueName) }
    const scope = runsInSandbox(job) ? scopes.beginInChild(about) : scopes.begin(about)
    if (scope === undefined) return call()
    return runToEnd(
      () => scope.run(call),
      (outcome) => {
        scope.end(outcome)
        for (const tell of tellers) scopes.tell(scope, tell)
      },
      processorOutcomes,
      isAsync(processor),
    )
  }

  const tellersOf = (job: Job): ((record: ScopeRecord) => unknown)[] => {
    if (!log && onRecord === undefined) return []
    const tellers: ((record: ScopeRecord) => unknown)[] = []
    // The log of a job in a sandbox goes to the job that runs there by then.
    if (log && !runsInSandbox(job)) {
      const attempt = job.attemptsStarted
      tellers.push(async (record) => {
        try {
          await job.log(lineOf(record, attempt))
        } catch {
          // Jobs may be removed as they end, and the connection may be closed by then.
        }
      })
    }
    if (onRecord !== undefined) tellers.push((record) => onRecord(record, job))
    return tellers
  }

  return standFor(carbon, processor)
}

/** The attempt at this job that telemetry measures already. */
function attemptOf({ id, queueName }: BullJob): TelemetryJob | undefined {
  const attempt = telemetryJobOf(scopeStorage.getStore())
  return attempt !== undefined && attempt.id === id && attempt.queueName === queueName ? attempt : undefined
}

const movesTo = (attempt: TelemetryJob): Outcomes => ({
  ofResult: processorOutcomes.ofResult,
  ofError: (error) => {
    attempt.moved = moveOf(error)
    return processorOutcomes.ofError(error)
  },
})

/** In a sandbox a job is a copy that can do less: it cannot record its own end. */
const runsInSandbox = (job: object): boolean =>
  !('moveToCompleted' in job) && (!isMainThread || process.send !== undefined)

function lineOf({ outcome, energyJoules, emissionsGrams, attribution }: ScopeRecord, attempt = 1): string {
  const energy = energyJoules === undefined ? 'energy unmeasured' : formatEnergy(energyJoules)
  const emissions = emissionsGrams === undefined ? '' : `, ${formatMass(emissionsGrams)} CO2eq`
  return `CodeCarbon: attempt ${attempt} ${outcome}, ${energy}${emissions} (${attribution})`
}

function check(processor: unknown, options: unknown): void {
  if (typeof processor === 'string' || processor instanceof URL)
    throw new ConfigError(
      'withCarbon: expected a processor function, got the file of a sandboxed processor; wrap the function in that file',
    )
  if (typeof processor !== 'function')
    throw new ConfigError(`withCarbon: expected a processor function, got ${typeof processor}`)
  if (typeof options !== 'object' || options === null)
    throw new ConfigError(
      `withCarbon: expected options behind the processor, got ${options === null ? 'null' : typeof options}`,
    )
  const given = options as CarbonProcessorOptions<unknown>
  checkNames('withCarbon', given, { tracker: true, log: true, onRecord: true })
  const { tracker, log, onRecord } = given
  if (tracker !== undefined && typeof tracker?.beginScope !== 'function')
    throw new ConfigError('option tracker: expected an EmissionsTracker')
  if (log !== undefined && typeof log !== 'boolean')
    throw new ConfigError(`option log: expected true or false, got ${typeof log}`)
  if (onRecord !== undefined && typeof onRecord !== 'function')
    throw new ConfigError(`option onRecord: expected a function, got ${typeof onRecord}`)
}
