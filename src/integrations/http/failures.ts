import { messageOf } from '../../core/errors.ts'

/** So many in a row turn a hook off. */
const mostFailures = 10

/** What goes wrong in a hook: told once, kept from the program, and too much of it turns the hook off. */
export class Failures {
  readonly #hook: string
  #inARow = 0
  readonly #told = new Set<string>()
  #isOff = false

  constructor(hook: string) {
    this.#hook = hook
  }

  get isOff(): boolean {
    return this.#isOff
  }

  passed(): void {
    if (this.#inARow !== 0) this.#inARow = 0
  }

  failed(error: unknown): void {
    this.#inARow += 1
    this.#tellOnce('a request could not be measured', error)
    if (this.#inARow < mostFailures || this.#isOff) return
    this.#isOff = true
    warn(
      `${this.#hook}: ${mostFailures} requests in a row could not be measured; none is from now on: ${messageOf(error)}`,
    )
  }

  /** The request is measured all the same. */
  hadNoRoute(error: unknown): void {
    this.#tellOnce('a request had no route of the option route', error)
  }

  #tellOnce(what: string, error: unknown): void {
    if (this.#told.has(what)) return
    this.#told.add(what)
    warn(`${this.#hook}: ${what}: ${messageOf(error)}`)
  }
}

const warn = (message: string): void => {
  process.emitWarning(message, 'CodeCarbonWarning')
}
