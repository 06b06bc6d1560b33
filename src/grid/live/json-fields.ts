/** The fields of a JSON object; none where it is anything else. */
export const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}

/** An answer in JSON. @throws what `unusable` makes of a message that does not quote it */
export function parseAnswer(text: string, unusable: (message: string) => Error): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Its own message would quote the answer.
    throw unusable(
      text.trimStart().startsWith('<')
        ? 'answered with a web page in place of JSON'
        : 'answered with something that is no JSON, or was cut off',
    )
  }
}
