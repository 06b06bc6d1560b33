import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Failures } from './failures.ts'

/** Listens to a channel of `node:diagnostics_channel`, where what a listener throws is an uncaught error of the program. @returns what stops that */
export function listenTo(
  channel: string,
  failures: Failures,
  listener: (message: unknown) => void,
): () => void {
  const guarded = (message: unknown): void => {
    if (failures.isOff) return
    try {
      listener(message)
    } catch (error) {
      failures.failed(error)
    }
  }
  subscribe(channel, guarded)
  return () => void unsubscribe(channel, guarded)
}
