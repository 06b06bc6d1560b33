import type { Attribution, ScopeKind, ScopeLabels, ScopeRecord } from '../core/scope-record.ts'
import type { ModelCallUse } from '../core/model-calls.ts'
import type { Seconds } from '../core/units.ts'

export type { ModelCallUse } from '../core/model-calls.ts'
export type { Attribution, ScopeKind, ScopeLabels, ScopeRecord } from '../core/scope-record.ts'

/** What a scope is begun with. */
export interface ScopeOptions {
  /** One of few: the route of a request, the name of a job. Never an address or a number of its own. */
  readonly name: string
  /** @default 'task' */
  readonly kind?: ScopeKind | undefined
  readonly labels?: ScopeLabels | undefined
  /** What it is part of; `null` where it is part of nothing. @default the current scope */
  readonly parent?: WorkScope | null | undefined
  /** `exact` where whoever begins it tells its CPU time. @default what the option `attribution` says */
  readonly attribution?: Attribution | undefined
}

/** Knows what a scope is called as far as that is known by now. */
export interface LateName {
  name(): string
}

/** A task, job or request that is being measured, as the code that runs it sees it. */
export interface CurrentScope {
  readonly name: string
  readonly kind: ScopeKind
  /** Adds a label, or changes it. Those that the option `scope_labels` names become labels of metrics. */
  setLabel(name: string, value: string): void
  /** Counts functional units that were made in it, for the SCI; they count for all that it is part of, too. */
  countFunctionalUnits(count?: number): void
}

/** The same as whoever began it sees it. Nothing here throws. */
export interface WorkScope extends CurrentScope {
  /** Gives it another name, where that is known late. */
  rename(name: string): void
  /** Where it still goes on when the run or the process ends, it is asked for its name then; it ends as `unfinished`. */
  nameAtEnd(named: LateName): void
  /** Runs a function inside of it: what is begun there is part of it, and `currentScope()` tells it. */
  run<T>(fn: () => T): T
  /** CPU time that it has used in a process or a thread of its own since that was told last, or since it began. */
  addCpu(time: Seconds): void
  /** Counts a call of a model that was made in it, for metrics of the run: tokens, and the estimate of what it took elsewhere. Before the end. */
  countModelCall?(call: ModelCallUse): void
  /**
   * Ends it. Idempotent.
   *
   * @param outcome one of few: `ok`, `error`, `aborted`. @default 'ok'
   * @param duration where it was told late. @default since its begin
   */
  end(outcome?: string, duration?: Seconds): void
  /**
   * Ends it as though it had never been, where only now is known that it is not to be measured: nobody is told of it, and what it used belongs to the scope
   * around it, or to none. Functional units that were counted in it stay counted. Idempotent.
   */
  discard(): void
  /** What it has used, once it has ended and the hardware has been read again, which this sees to; `undefined` where nobody could tell, or it was discarded. */
  settled(): Promise<ScopeRecord | undefined>
}
