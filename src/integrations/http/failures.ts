import { messageOf } from '../../core/errors.ts'

/** So many in a row turn a hook off. */
const mostFailures = 10

/** What goes wrong in a hook: told once, kept from the program, and too much of it turns the hook off. */
export class Failures {
  readonly #hook: string
  #inARow = 0
  #isTold = false
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
    if (!this.#isTold) warn(`${this.#hook}: a request could not be measured: ${messageOf(error)}`)
    this.#isTold = true
    if (this.#inARow < mostFailures || this.#isOff) return
    this.#isOff = true
    warn(
      `${this.#hook}: ${mostFailures} requests in a row could not be measured; none is from now on: ${messageOf(error)}`,
    )
  }
}

const warn = (message: string): void => {
  process.emitWarning(message, 'CodeCarbonWarning')
}
