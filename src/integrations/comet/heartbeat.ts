import type { Clock } from '../../core/clock.ts'
import type { JsonApi } from '../../http/json-api.ts'

/** What a heartbeat is put together from. */
export interface HeartbeatParts {
  readonly api: JsonApi
  readonly experimentKey: string
  readonly clock: Clock
  readonly timeoutMs: number
}

/** Before the server has said how often it wants to hear: as comet_ml begins. */
const firstMs = 10_000
/** Bounds of what it may ask for. */
const shortestMs = 1000
const longestMs = 5 * 60_000

/**
 * Tells Comet that an experiment is running, as often as the server asks for, until it is stopped; then its status turns by itself. A beat
 * that fails is followed by the next one: what is wrong shows where something is logged.
 */
export function startHeartbeat({ api, experimentKey, clock, timeoutMs }: HeartbeatParts): { stop(): void } {
  const end = new AbortController()
  let intervalMs = firstMs
  let cancel: (() => void) | undefined

  async function beat(): Promise<void> {
    try {
      const call = { path: 'write/experiment/set-status', query: { experimentKey } }
      const answer = await api.call(call, timeoutMs, end.signal)
      const asked = answer['isAliveBeatDurationMillis']
      if (typeof asked === 'number' && asked > 0)
        intervalMs = Math.min(longestMs, Math.max(shortestMs, asked))
    } catch {
      // The next one tells as well.
    }
    if (!end.signal.aborted) cancel = clock.after(intervalMs, () => void beat())
  }

  void beat()
  return {
    stop() {
      cancel?.()
      end.abort(new Error('the experiment has ended'))
    },
  }
}
