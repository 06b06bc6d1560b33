import type { Outcomes } from '../../scopes/run-to-end.ts'

/** Errors by which a processor says that its job goes on later: no failures. */
const moves: Readonly<Record<string, string>> = {
  DelayedError: 'delayed',
  WaitingError: 'waiting',
  WaitingChildrenError: 'waiting-children',
  RateLimitError: 'rate-limited',
}

/** How BullMQ itself knows a RateLimitError. */
const rateLimitMessage = 'bullmq:rateLimitExceeded'

/** Where a job was moved to by what its processor threw; `undefined` where that is a failure. */
export function moveOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  return error.message === rateLimitMessage
    ? moves['RateLimitError']
    : Object.hasOwn(moves, error.name)
      ? moves[error.name]
      : undefined
}

export const processorOutcomes: Outcomes = {
  ofResult: () => 'completed',
  ofError: (error) => moveOf(error) ?? 'failed',
}
