import type { ErrorCode } from './errors.ts'
import { seconds, type Seconds } from './units.ts'

/** Something that went wrong beside the figures, as a probe or exporter reports it. */
export interface Problem {
  readonly code: ErrorCode
  /** The domain, file, option or exporter concerned. */
  readonly subject: string
  /** One sentence a user can act on. */
  readonly message: string
  /** Time for which the subject's energy is unknown. */
  readonly gap?: Seconds
  /** True where nothing new went wrong: what was told before goes on, and has a longer gap. */
  readonly goesOn?: boolean
}

/** All the occurrences of one problem in a run. */
export interface ProblemCount extends Omit<Problem, 'goesOn'> {
  readonly count: number
  readonly gap: Seconds
}

/** Collects problems: each (code, subject) once, with how often and for how long. */
export class ProblemLog {
  readonly #counts = new Map<string, ProblemCount>()
  #list: readonly ProblemCount[] = []

  /** Adds one occurrence; true when it is the first of its kind. */
  add(problem: Problem): boolean {
    const key = `${problem.code} ${problem.subject}`
    const known = this.#counts.get(key)
    const { goesOn, ...facts } = problem
    const count = (known?.count ?? 0) + (goesOn === true && known !== undefined ? 0 : 1)
    const gap = seconds((known?.gap ?? 0) + (problem.gap ?? 0))
    this.#counts.set(key, { ...facts, count, gap })
    this.#list = [...this.#counts.values()]
    return known === undefined
  }

  list(): readonly ProblemCount[] {
    return this.#list
  }
}
