import type { TaskEmissionsData } from '../core/emissions-data.ts'
import { fromKilograms, fromKilowattHours, type Seconds } from '../core/units.ts'
import type { Log } from '../log.ts'
import type { Run, RunTask } from '../run.ts'
import { scopeStorage } from './current-scope.ts'
import type { CurrentScope, ScopeKind, ScopeOptions, ScopeRecord, WorkScope } from './work-scope.ts'

/** Begins a scope of a run; without a run it measures nothing. */
export function createRunScope(run: Run | undefined, options: ScopeOptions, log: Log): WorkScope {
  return new RunScope(run, options, log)
}

class RunScope implements WorkScope {
  name: string
  readonly kind: ScopeKind
  readonly #run: Run | undefined
  readonly #log: Log
  readonly #task: RunTask | undefined
  readonly #labels: Record<string, string>
  readonly #isNested: boolean
  #record: ScopeRecord | undefined

  constructor(run: Run | undefined, { name, kind = 'task', labels = {}, parent }: ScopeOptions, log: Log) {
    this.name = name
    this.kind = kind
    this.#run = run
    this.#log = log
    this.#labels = { ...labels }
    const above: CurrentScope | null | undefined = parent === undefined ? scopeStorage.getStore() : parent
    const within = above instanceof RunScope && above.#run === run ? above.#task : undefined
    this.#isNested = within !== undefined
    this.#task = run?.beginTask(name, within)
  }

  setLabel(name: string, value: string): void {
    this.#labels[name] = value
  }

  rename(name: string): void {
    this.name = name
  }

  countFunctionalUnits(count = 1): void {
    this.#run?.countUnits(count, this.#task)
  }

  run<T>(fn: () => T): T {
    return scopeStorage.run(this, fn)
  }

  addCpu(_time: Seconds): void {
    this.#log('debug', 'CPU time of scopes is not looked at yet')
  }

  end(outcome = 'ok'): void {
    if (this.#task === undefined) return
    const data = this.#run?.endTask(this.#task)
    if (data !== undefined) this.#record = this.#toRecord(data, outcome)
  }

  settled(): Promise<ScopeRecord | undefined> {
    return Promise.resolve(this.#record)
  }

  #toRecord(data: TaskEmissionsData, outcome: string): ScopeRecord {
    return {
      name: this.name,
      kind: this.kind,
      labels: { ...this.#labels },
      outcome,
      attribution: 'shared',
      isNested: this.#isNested,
      endedAtMs: Date.now(),
      durationSeconds: data.duration,
      energyJoules: data.energyConsumed === undefined ? undefined : fromKilowattHours(data.energyConsumed),
      emissionsGrams: data.emissions === undefined ? undefined : fromKilograms(data.emissions),
      functionalUnits: this.#task?.units,
    }
  }
}
