import type { WorkScope } from '../../scopes/work-scope.ts'
import type { TokenCounts } from '../model-calls/model-call.ts'
import { silenceMs } from '../model-calls/silence.ts'

/** What a run of LangChain has begun, if anything. */
export interface RunParts {
  readonly scope: WorkScope | undefined
  end(outcome: string, tokens?: Partial<TokenCounts>): void
}

interface OpenRun extends RunParts {
  readonly parentId: string | undefined
  readonly children: Set<string>
  lastSignMs: number
}

/** Runs that have begun, by their id, and of which other they are part. */
export class OpenRuns {
  readonly #runs = new Map<string, OpenRun>()
  readonly #nowMs: () => number

  /** @param nowMs a clock that never goes back, in milliseconds */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  /** The scope of a run, or of the nearest run around it that has one. */
  scopeOf(id: string | undefined): WorkScope | undefined {
    const run = id === undefined ? undefined : this.#runs.get(id)
    return run === undefined ? undefined : (run.scope ?? this.scopeOf(run.parentId))
  }

  add(id: string, parentId: string | undefined, parts: RunParts): void {
    this.#giveUpSilent()
    this.end(id, 'aborted')
    this.#runs.set(id, { ...parts, parentId, children: new Set(), lastSignMs: this.#nowMs() })
    if (parentId !== undefined) this.#runs.get(parentId)?.children.add(id)
    this.#touch(parentId)
  }

  /** Ends a run, and before it what is still open in it. Idempotent. */
  end(id: string, outcome: string, tokens?: Partial<TokenCounts>): void {
    const run = this.#runs.get(id)
    if (run === undefined) return
    for (const child of run.children) this.end(child, outcome === 'ok' ? 'aborted' : outcome)
    this.#runs.delete(id)
    if (run.parentId !== undefined) this.#runs.get(run.parentId)?.children.delete(id)
    this.#touch(run.parentId)
    run.end(outcome, tokens)
  }

  /** The run and all around it are alive; whoever is outermost goes to the end, so that the silent ones stand first. */
  #touch(id: string | undefined): void {
    for (let at = id; at !== undefined;) {
      const run = this.#runs.get(at)
      if (run === undefined) return
      run.lastSignMs = this.#nowMs()
      if (run.parentId === undefined) {
        this.#runs.delete(at)
        this.#runs.set(at, run)
      }
      at = run.parentId
    }
  }

  #giveUpSilent(): void {
    const latest = this.#nowMs() - silenceMs
    for (const [id, run] of this.#runs) {
      if (run.parentId !== undefined && this.#runs.has(run.parentId)) continue
      if (run.lastSignMs > latest) return
      this.end(id, 'aborted')
    }
  }
}
