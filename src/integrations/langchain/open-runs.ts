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

/** Open at a time: the oldest of more is given up. */
export const mostOpenRuns = 10_000

/** Runs that have begun, by their id, and of which other they are part. */
export class OpenRuns {
  readonly #runs = new Map<string, OpenRun>()
  /** Those that are part of no other, the longest silent first. */
  readonly #outermost = new Set<string>()
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
    this.#touch(id)
    if (this.#runs.size > mostOpenRuns) this.#giveUpOldest()
  }

  /** Ends a run, and before it what is still open in it. Idempotent. */
  end(id: string, outcome: string, tokens?: Partial<TokenCounts>): void {
    this.#touch(this.#runs.get(id)?.parentId)
    this.#end(id, outcome, tokens)
  }

  #end(id: string, outcome: string, tokens?: Partial<TokenCounts>): void {
    const run = this.#runs.get(id)
    if (run === undefined) return
    for (const child of run.children) this.#end(child, outcome === 'ok' ? 'aborted' : outcome)
    this.#runs.delete(id)
    this.#outermost.delete(id)
    if (run.parentId !== undefined) this.#runs.get(run.parentId)?.children.delete(id)
    run.end(outcome, tokens)
  }

  /** The run and all around it are alive. */
  #touch(id: string | undefined): void {
    let outermost: string | undefined
    for (let at = id; at !== undefined;) {
      const run = this.#runs.get(at)
      if (run === undefined) break
      run.lastSignMs = this.#nowMs()
      outermost = at
      at = run.parentId
    }
    if (outermost === undefined) return
    this.#outermost.delete(outermost)
    this.#outermost.add(outermost)
  }

  #giveUpSilent(): void {
    const latest = this.#nowMs() - silenceMs
    for (const id of this.#outermost) {
      if ((this.#runs.get(id)?.lastSignMs ?? -Infinity) > latest) return
      this.#end(id, 'aborted')
    }
  }

  /** The oldest in which nothing is open: what begins now is part of what is around it. */
  #giveUpOldest(): void {
    for (const [id, { children }] of this.#runs) {
      if (children.size > 0) continue
      this.#end(id, 'unfinished')
      return
    }
  }
}
