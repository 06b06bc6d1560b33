import { messageOf } from '../core/errors.ts'
import { defaultScopes } from '../scopes/default-scopes.ts'
import { knownProcessScopes, type ScopeSource } from '../scopes/process-scopes.ts'
import type { ScopeLabels, ScopeRecord, WorkScope } from '../scopes/work-scope.ts'
import { isThenable } from '../thenable.ts'

/** What the scope of a job is begun with. */
export interface JobScopeOptions {
  readonly name: string
  readonly labels: ScopeLabels
}

/** After so many failures in a row a hook measures nothing any more. */
const mostFailures = 3

/**
 * Begins the scopes of the jobs of one runner. Jobs are part of nothing: what was active when a worker was started has nothing to do with what it
 * works on later. Nothing here throws: what fails is told once, and the jobs run on.
 */
export class JobScopes {
  readonly #hook: string
  readonly #tracker: ScopeSource | undefined
  #failures = 0
  #hasTold = false

  /** @param hook what it is told of as, such as `codecarbon/bullmq` */
  constructor(hook: string, tracker: ScopeSource | undefined) {
    this.#hook = hook
    this.#tracker = tracker
  }

  /** Begins a scope; `undefined` where that fails. */
  begin(options: JobScopeOptions): WorkScope | undefined {
    return this.#begin(options, defaultScopes)
  }

  /**
   * The same in a process or thread that runs the jobs of another one, which has the tracker: without the way to it nothing is measured. Whoever knows the way
   * tells the CPU time as well.
   */
  beginInChild(options: JobScopeOptions): WorkScope | undefined {
    return this.#begin(options, () => {
      const known = knownProcessScopes()
      if (known === undefined)
        throw new Error(
          'this process runs jobs of another one and does not know its tracker; start that one with node --import codecarbon/register, which its children take over',
        )
      return known
    })
  }

  /** Hands over what a scope has used that has ended, some moments later. */
  tell(scope: WorkScope, onRecord: (record: ScopeRecord) => unknown): void {
    void this.#tell(scope, onRecord)
  }

  #begin({ name, labels }: JobScopeOptions, otherwise: () => ScopeSource): WorkScope | undefined {
    if (this.#failures >= mostFailures) return undefined
    try {
      const scope = (this.#tracker ?? otherwise()).beginScope({
        name,
        kind: 'job',
        labels,
        parent: null,
      })
      this.#failures = 0
      return scope
    } catch (error) {
      this.#failures += 1
      this.#warn(`jobs are not measured: ${messageOf(error)}`)
      return undefined
    }
  }

  async #tell(scope: WorkScope, onRecord: (record: ScopeRecord) => unknown): Promise<void> {
    try {
      const record = await scope.settled()
      if (record !== undefined) await onRecord(record)
    } catch (error) {
      this.#warn(`what a job of ${scope.name} has used could not be told: ${messageOf(error)}`)
    }
  }

  #warn(message: string): void {
    if (this.#hasTold) return
    this.#hasTold = true
    process.emitWarning(`${this.#hook}: ${message}`, 'CodeCarbonWarning')
  }
}

/** Names the outcome of a job. */
export interface JobOutcomes {
  readonly ofResult: (result: unknown) => string
  readonly ofError: (error: unknown) => string
}

/** Runs a job and says how it went; results and errors pass through. */
export function runJob<Result>(
  fn: () => Result,
  { ofResult, ofError }: JobOutcomes,
  end: (outcome: string) => void,
): Result {
  let result: Result
  try {
    result = fn()
  } catch (error) {
    end(ofError(error))
    throw error
  }
  if (!isThenable(result)) {
    end(ofResult(result))
    return result
  }
  return Promise.resolve(result).then(
    (value: unknown) => {
      end(ofResult(value))
      return value
    },
    (error: unknown) => {
      end(ofError(error))
      throw error
    },
  ) as Result
}
