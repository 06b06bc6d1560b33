import { activeTrace } from '../core/active-trace.ts'
import { messageOf } from '../core/errors.ts'
import { grams, joules, seconds, type Seconds } from '../core/units.ts'
import type { ModelCallUse } from '../core/model-calls.ts'
import type { Scope } from '../core/scopes.ts'
import type { Log } from '../log.ts'
import type { Run } from '../run.ts'
import { livingIn, type Counted } from './counted.ts'
import { scopeStorage } from './current-scope.ts'
import { isCount, wrongCount } from './functional-units.ts'
import type { BookedScope } from './scope-book.ts'
import { labelsOf, textOf } from './scope-text.ts'
import type {
  Attribution,
  CurrentScope,
  LateName,
  ScopeKind,
  ScopeLabels,
  ScopeOptions,
  ScopeRecord,
  WorkScope,
} from './work-scope.ts'

/** What is current in some part of a program: a scope or a task of a run. */
export interface Placed extends CurrentScope {
  readonly ofRun: Run
  readonly counted: Counted
  /** What is around it, of whatever run; where it has ended, what of that had not ended before. */
  readonly around: Partial<Placed> | undefined
}

/** The place itself, or the nearest around it that has not ended: callbacks outlive the scope that they were made in. */
export function livingPlace(place: Partial<Placed> | undefined): Partial<Placed> | undefined {
  let at = place
  while (at?.counted?.scope.ended === true) at = at.around
  return at
}

/** What of a run is current here, if anything. */
export function currentIn(run: Run | undefined): Counted | undefined {
  let at = livingPlace(scopeStorage.getStore())
  while (at !== undefined && at.ofRun !== run) at = at.around
  return at?.counted
}

/** Begins a scope of a run. Nothing of it throws. */
export function createRunScope(run: Run, options: ScopeOptions, parts: RunScopeParts): WorkScope {
  return new RunScope(run, options, parts)
}

/** What scopes of a tracker have in common. */
export interface RunScopeParts {
  readonly log: Log
  /** Of scopes whose beginner says nothing. */
  readonly attribution: Attribution
}

class RunScope implements WorkScope, Placed, BookedScope, Counted {
  name: string
  readonly kind: ScopeKind
  readonly ofRun: Run
  readonly scope: Scope
  parent: Counted | undefined
  around: Partial<Placed> | undefined
  units: number | undefined = undefined
  readonly #log: Log
  readonly #attribution: Attribution
  #labels: ScopeLabels
  readonly #begunAt: Seconds
  /** When its CPU time was told last. */
  #toldAt: Seconds
  #endedAt: Seconds | undefined
  #endedAtMs = 0
  #duration: Seconds | undefined
  #isDiscarded = false
  #outcome = ''
  #named: LateName | undefined
  #trace: ScopeRecord['trace']

  constructor(run: Run, options: ScopeOptions, { log, attribution }: RunScopeParts) {
    const { name, kind = 'task', labels, parent } = options
    this.name = textOf(name)
    this.kind = kind
    this.ofRun = run
    this.#log = log
    this.#labels = labels === undefined ? noLabels : labelsOf(labels)
    this.#attribution = options.attribution ?? attribution
    this.around = livingPlace(scopeStorage.getStore())
    this.parent =
      parent === undefined
        ? currentIn(run)
        : parent instanceof RunScope && parent.ofRun === run
          ? livingIn(parent)
          : undefined
    const at = run.scopes.now()
    this.#begunAt = this.#toldAt = at
    this.scope = run.scopes.begin(this.parent?.scope, { at, isExact: this.#attribution === 'exact' })
    run.scopes.add(this)
  }

  get counted(): Counted {
    return this
  }

  setLabel(name: string, value: string): void {
    this.#labels = { ...this.#labels, ...labelsOf({ [textOf(name)]: value }) }
  }

  rename(name: string): void {
    this.name = textOf(name)
  }

  countFunctionalUnits(count = 1): void {
    if (isCount(count)) this.ofRun.countUnits(count, this)
    else this.#log('error', wrongCount(count))
  }

  countModelCall(call: ModelCallUse): void {
    this.ofRun.countModelCall(call)
  }

  nameAtEnd(named: LateName): void {
    if (this.#endedAt === undefined) this.#named = named
  }

  run<T>(fn: () => T): T {
    return this.ofRun.scopes.inside(this.scope, () => scopeStorage.run(this, fn))
  }

  addCpu(time: Seconds): void {
    const now = this.#endedAt ?? this.ofRun.scopes.now()
    // What is told at once of a scope that is told late took no less time than one processor needs for it.
    const over = this.#attribution === 'exact' ? seconds(Math.max(now - this.#toldAt, time)) : seconds(0)
    this.scope.addCpu(time, over)
    this.#toldAt = now
  }

  end(outcome = 'ok', duration?: Seconds): void {
    if (this.#endedAt !== undefined) return
    this.#endedAt = this.ofRun.scopes.now()
    this.#duration = duration
    this.#endedAtMs = Date.now()
    this.#outcome = textOf(outcome)
    this.#named = undefined
    this.#trace = activeTrace()
    this.scope.end(this.#endedAt)
    this.parent = livingIn(this.parent)
    this.around = livingPlace(this.around)
    try {
      this.ofRun.scopes.end(this)
    } catch (error) {
      this.#log('error', `could not end ${this.kind} ${this.name}: ${messageOf(error)}`)
    }
  }

  discard(): void {
    if (this.#endedAt !== undefined) return
    this.#endedAt = this.ofRun.scopes.now()
    this.#isDiscarded = true
    this.#named = undefined
    this.scope.discard(this.#endedAt)
    this.parent = livingIn(this.parent)
    this.around = livingPlace(this.around)
    this.ofRun.scopes.forget(this)
  }

  leave(): void {
    try {
      if (this.#named !== undefined) this.rename(this.#named.name())
    } catch (error) {
      this.#log('error', `could not ask what ${this.kind} ${this.name} is called: ${messageOf(error)}`)
    }
    this.end('unfinished')
  }

  settled(): Promise<ScopeRecord | undefined> {
    const isTold = this.#endedAt !== undefined && !this.#isDiscarded
    return isTold ? this.ofRun.scopes.settled(this) : Promise.resolve(undefined)
  }

  toRecord(): ScopeRecord {
    const totals = this.scope.totals()
    const { pue } = this.ofRun.scopes
    return {
      name: this.name,
      kind: this.kind,
      labels: this.#labels,
      outcome: this.#outcome,
      attribution: this.#attribution,
      isNested: this.scope.isNested,
      endedAtMs: this.#endedAtMs,
      durationSeconds: this.#duration ?? (this.#endedAt ?? this.#begunAt) - this.#begunAt,
      energyJoules: totals === undefined ? undefined : joules(totals.energy * pue),
      emissionsGrams: totals === undefined ? undefined : grams(totals.emissions * pue),
      functionalUnits: this.units,
      trace: this.#trace,
    }
  }
}

const noLabels: ScopeLabels = {}

/** A scope where nothing can be tracked. */
export class NoScope implements WorkScope {
  name: string
  readonly kind: ScopeKind

  constructor({ name, kind = 'task' }: ScopeOptions) {
    this.name = name
    this.kind = kind
  }

  setLabel(): void {}
  countFunctionalUnits(): void {}
  nameAtEnd(): void {}
  addCpu(): void {}
  end(): void {}
  discard(): void {}

  rename(name: string): void {
    this.name = name
  }

  run<T>(fn: () => T): T {
    return fn()
  }

  settled(): Promise<undefined> {
    return Promise.resolve(undefined)
  }
}
