/** One of the things that a person can choose. */
export interface Choice<Value> {
  readonly value: Value
  readonly label: string
  readonly hint?: string
}

/** Asks the person at a terminal. Each rejects with {@link BrokenOff} where that person ends it. */
export interface Ask {
  select<Value>(question: string, choices: readonly Choice<Value>[], initial?: Value): Promise<Value>
  /** `problemOf` says what is wrong with a text, where something is. */
  text(question: string, initial: string, problemOf?: (text: string) => string | undefined): Promise<string>
  confirm(question: string, initial: boolean): Promise<boolean>
}

/** The person has ended a conversation, as by Ctrl-C. */
export class BrokenOff extends Error {
  constructor() {
    super('broken off; nothing was written')
    this.name = 'BrokenOff'
  }
}
