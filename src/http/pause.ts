import type { Clock } from '../core/clock.ts'

/** Waits between two attempts; rejects with the signal's reason where that breaks it off. */
export function pause(ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const breakOff = (): void => {
      cancel()
      reject(signal.reason as Error)
    }
    const cancel = clock.after(ms, () => {
      signal.removeEventListener('abort', breakOff)
      resolve()
    })
    signal.addEventListener('abort', breakOff)
  })
}
