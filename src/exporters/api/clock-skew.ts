import type { Clock } from '../../core/clock.ts'
import type { Fetch } from '../../http/http-request.ts'

/** What is less is of no matter on a dashboard, and an answer that was long on its way. */
const tolerableMs = 5 * 60_000

/**
 * Compares the clock of a server (`Date`, RFC 9110 §6.6.1) with that of this machine, by which slices are dated.
 * @param onSkew told once, with what is wrong; the words go on after "this machine's clock"
 */
export function watchClock(fetch: Fetch, clock: Clock, onSkew: (words: string) => void): Fetch {
  let isTold = false
  return async (url, init) => {
    const answer = await fetch(url, init)
    const aheadMs = clock.now().wallMs - Date.parse(answer.headers.get('date') ?? '')
    if (!isTold && Math.abs(aheadMs) > tolerableMs) {
      isTold = true
      onSkew(`is ${inWords(Math.abs(aheadMs))} ${aheadMs > 0 ? 'ahead of' : 'behind'} that of`)
    }
    return answer
  }
}

function inWords(ms: number): string {
  const minutes = Math.round(ms / 60_000)
  return minutes < 120 ? `${minutes} minutes` : `${Math.round(minutes / 60)} hours`
}
