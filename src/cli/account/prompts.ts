import { printable } from '../../log.ts'
import { BrokenOff, type Ask } from '../../setup/ask.ts'

/** Whether somebody can be asked: stdin is a terminal, and so is stderr, where questions are printed. */
export const canAsk = (): boolean => process.stdin.isTTY && process.stderr.isTTY

/** Asks on stderr, since stdout is for results. */
export async function createPrompts(): Promise<Ask> {
  const { confirm, isCancel, select, text } = await import('@clack/prompts')
  const output = process.stderr
  const answered = <Answer>(answer: Answer): Exclude<Answer, symbol> => {
    if (isCancel(answer)) throw new BrokenOff()
    return answer as Exclude<Answer, symbol>
  }
  return {
    async select(message, choices, initial) {
      // By their places: a choice may be anything.
      const options = choices.map(({ label, hint }, value) => ({
        ...{ value, label: printable(label) },
        ...(hint === undefined ? {} : { hint: printable(hint) }),
      }))
      const first = Math.max(
        0,
        choices.findIndex(({ value }) => value === initial),
      )
      const place = answered(await select({ message, options, output, initialValue: first, maxItems: 10 }))
      const chosen = choices[place]
      if (chosen === undefined) throw new BrokenOff()
      return chosen.value
    },
    async text(message, initialValue, problemOf) {
      const validate = (value: string | undefined): string | undefined => problemOf?.(value ?? '')
      return answered(await text({ message, initialValue, validate, output })) ?? ''
    },
    confirm: async (message, initialValue) => answered(await confirm({ message, initialValue, output })),
  }
}
