import type { Clock } from '../core/clock.ts'
import type { RunView } from '../core/exporter.ts'

/** A first time soon, then so often. */
const firstMs = 10_000
const everyMs = 30_000

/**
 * Shows a run to a tracker of experiments while it goes on, however seldom it reports; the result ends that. What the look throws is dropped: the next
 * report tells what is wrong.
 */
export function startLiveLook(clock: Clock, look: () => RunView, show: (view: RunView) => void): () => void {
  let cancel: () => void
  const lookIn = (waitMs: number): void => {
    cancel = clock.after(waitMs, () => {
      lookIn(everyMs)
      try {
        show(look())
      } catch {
        // The next report tells what is wrong.
      }
    })
  }
  lookIn(firstMs)
  return () => {
    cancel()
  }
}
