import type { CurrentScope, ScopeRecord, WorkScope } from '../../scopes/work-scope.ts'
import type { JobScopes } from '../hook-parts/job-scopes.ts'

/** Which job a record is of, as far as telemetry knows. */
export interface TelemetryJobFacts {
  readonly id: string | undefined
  readonly name: string | undefined
  readonly queueName: string
  /** Attempts that have ended, this one among them; `undefined` where it was moved, or lost to another worker. */
  readonly attemptsMade: number | undefined
}

/** One attempt at a job, from when BullMQ hands it to the processor to when its end is recorded. */
export class TelemetryJob {
  readonly scope: WorkScope
  readonly queueName: string
  id: string | undefined
  name: string | undefined
  attemptsMade: number | undefined
  /** What BullMQ has recorded. */
  recorded: 'completed' | 'failed' | undefined
  /** Where the processor has moved it to, which BullMQ does not tell. */
  moved: string | undefined
  hasErrors = false
  readonly #scopes: JobScopes
  readonly #tellers: ((record: ScopeRecord) => unknown)[] = []

  constructor(scope: WorkScope, queueName: string, scopes: JobScopes) {
    this.scope = scope
    this.queueName = queueName
    this.#scopes = scopes
    known.set(scope, this)
  }

  /** Has somebody told what it used, once that is known. */
  onRecord(tell: (record: ScopeRecord) => unknown): void {
    this.#tellers.push(tell)
  }

  end(): void {
    // An end that could not be recorded is mostly that of a job which stalled and belongs to another worker by now.
    this.scope.end(this.recorded ?? this.moved ?? (this.hasErrors ? 'error' : 'moved'))
    for (const tell of this.#tellers) this.#scopes.tell(this.scope, tell)
  }
}

/** One for all copies of this package in a process; with a number that changes when what is there does. */
const key = Symbol.for('codecarbon.bullmq-attempts.1')
const holder = globalThis as { [key]?: WeakMap<CurrentScope, TelemetryJob> }

const known: WeakMap<CurrentScope, TelemetryJob> = (holder[key] ??= new WeakMap())

/** The attempt that a scope was begun for. */
export const telemetryJobOf = (scope: CurrentScope | undefined): TelemetryJob | undefined =>
  scope === undefined ? undefined : known.get(scope)
