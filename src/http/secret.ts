const masked = '***'

/** A text that is not shown, however it is printed: a private field is none of those that inspection shows. */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  /** The text, for whoever has to send it. */
  reveal(): string {
    return this.#value
  }

  toString(): string {
    return masked
  }

  toJSON(): string {
    return masked
  }
}
