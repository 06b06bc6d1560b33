import type { ScopeSource } from '../../../src/scopes/process-scopes.ts'
import { scopeStorage } from '../../../src/scopes/current-scope.ts'
import type { ScopeOptions, ScopeRecord, WorkScope } from '../../../src/scopes/work-scope.ts'

/** A tracker that writes down what is asked of it. */
export interface RecordedScopes extends ScopeSource {
  /** Name and outcome of each scope that has ended, as `GET /users/:id 2xx`. */
  readonly ended: string[]
  /** How many have begun and not ended. */
  readonly open: () => number
  readonly begun: () => number
  /** Waits until so many have ended. */
  untilEnded(count: number): Promise<string[]>
}

/** What each scope has emitted, in grams. */
export const gramsEach = 0.000_012_34

export function recordScopes(): RecordedScopes {
  const ended: string[] = []
  let begun = 0
  const waiting: { readonly count: number; readonly resolve: () => void }[] = []
  return {
    ended,
    begun: () => begun,
    open: () => begun - ended.length,
    async untilEnded(count) {
      if (ended.length < count) await new Promise<void>((resolve) => waiting.push({ count, resolve }))
      return ended
    },
    beginScope(options) {
      begun += 1
      return new RecordedScope(options, (told) => {
        ended.push(told)
        for (const { count, resolve } of waiting) if (ended.length >= count) resolve()
      })
    },
  }
}

class RecordedScope implements WorkScope {
  name: string
  readonly kind
  readonly labels: Record<string, string> = {}
  readonly #onEnd: (told: string) => void
  #isEnded = false

  constructor({ name, kind = 'task' }: ScopeOptions, onEnd: (told: string) => void) {
    this.name = name
    this.kind = kind
    this.#onEnd = onEnd
  }

  setLabel(name: string, value: string): void {
    this.labels[name] = value
  }

  nameAtEnd(): void {}

  rename(name: string): void {
    this.name = name
  }

  countFunctionalUnits(): void {
    this.setLabel('units', 'counted')
  }

  run<T>(fn: () => T): T {
    return scopeStorage.run(this, fn)
  }

  addCpu(): void {
    throw new Error('a request has no process of its own')
  }

  end(outcome = 'ok'): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#onEnd(`${this.name} ${outcome}`)
  }

  discard(): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#onEnd('discarded')
  }

  settled(): Promise<ScopeRecord> {
    const { name, kind, labels } = this
    return Promise.resolve({
      ...{ name, kind, labels, outcome: 'ok', attribution: 'shared', isNested: false },
      ...{ endedAtMs: 0, durationSeconds: 1, energyJoules: 1, emissionsGrams: gramsEach },
      functionalUnits: undefined,
      trace: undefined,
    })
  }
}
