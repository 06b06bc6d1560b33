import type { Clock } from '../core/clock.ts'
import { EnergyError } from '../core/errors.ts'
import { exchange, NoAnswer, type Request } from '../http/exchange.ts'
import type { Fetch, Fetched } from '../http/http-request.ts'
import { parseRetryAfter } from '../http/retry-after.ts'

/** Options of {@link createDelivery}. */
export interface DeliveryOptions {
  /** The service in words, without credentials: `the Pushgateway at localhost:9091`. */
  readonly service: string
  /** What to look at where it does not accept who asks. */
  readonly credentials: string
  /** Option that holds its address. */
  readonly addressOption: string
  readonly fetch: Fetch
  readonly clock: Clock
  /** For one attempt, up to the head of the answer. */
  readonly timeoutMs: number
  /** For all attempts together where it is the last chance. */
  readonly lastChanceMs: number
}

/** How urgent it is: `live` may be left out, `flush` is tried once, `stop` again and again. */
export type Urgency = 'live' | 'flush' | 'stop'

/** Sends requests to one service, and knows how that went. */
export interface Delivery {
  /** @throws EnergyError ERR_EXPORT_FAILED which says what is wrong, without credentials and without any text of the service */
  send(request: Request, urgency: Urgency): Promise<void>
}

/** Before a live report is sent again after a failure; doubled with each further one. */
const firstRestMs = 2000
const longestRestMs = 60_000
/** The same where it is the last chance. */
const firstPauseMs = 100

/**
 * Sends with a timeout, and no redirect is followed: it would take figures and credentials to somebody else. After a failure live reports
 * leave the service alone for a while, which grows, or for as long as it asks for (`Retry-After`). Nothing is lost by it: the next report has the whole run.
 */
export function createDelivery(options: DeliveryOptions): Delivery {
  const { service, clock, lastChanceMs } = options
  const nowMs = (): number => clock.now().monotonic * 1000
  let failures = 0
  let restUntilMs = -Infinity
  let last: Refusal | undefined

  async function attempt(request: Request, timeoutMs: number): Promise<void> {
    try {
      await ask(request, options, timeoutMs)
      failures = 0
      last = undefined
    } catch (error) {
      last = error instanceof NoAnswer ? new Refusal(error.message, true) : (error as Refusal)
      const restMs = Math.min(firstRestMs * 2 ** failures, longestRestMs)
      restUntilMs = nowMs() + Math.max(restMs, last.retryAfterMs ?? 0)
      failures += 1
      throw last
    }
  }

  async function untilTaken(request: Request): Promise<void> {
    const end = nowMs() + lastChanceMs
    for (let pauseMs = firstPauseMs; ; pauseMs *= 2) {
      try {
        await attempt(request, Math.min(options.timeoutMs, end - nowMs()))
        return
      } catch (error) {
        const waitMs = Math.max(pauseMs, last?.retryAfterMs ?? 0)
        if (last?.mayPass !== true || nowMs() + waitMs >= end) throw error
        await new Promise<void>((resolve) => void clock.after(waitMs, resolve))
      }
    }
  }

  return {
    async send(request, urgency) {
      try {
        if (urgency === 'live' && last !== undefined && nowMs() < restUntilMs) throw last
        if (urgency === 'stop') await untilTaken(request)
        else await attempt(request, options.timeoutMs)
      } catch (cause) {
        if (!(cause instanceof Refusal)) throw cause
        throw new EnergyError('ERR_EXPORT_FAILED', `${service} ${cause.message}`, { cause })
      }
    },
  }
}

/** Why it was not taken. The message goes on after the service's name. */
class Refusal extends Error {
  /** It may be taken a little later. */
  readonly mayPass: boolean
  readonly retryAfterMs: number | undefined

  constructor(message: string, mayPass: boolean, retryAfterMs?: number) {
    super(message)
    this.name = 'Refusal'
    this.mayPass = mayPass
    this.retryAfterMs = retryAfterMs
  }
}

async function ask(request: Request, options: DeliveryOptions, timeoutMs: number): Promise<void> {
  const { fetch, clock } = options
  const { signal } = new AbortController()
  await exchange(request, { fetch, clock, timeoutMs, signal }, async (answer) => {
    const refusal = refusalOf(answer, options)
    if (refusal !== undefined) throw refusal
    return Promise.resolve()
  })
}

function refusalOf(answer: Fetched, options: DeliveryOptions): Refusal | undefined {
  const { status, headers } = answer
  const isPage = /^\s*text\/html\b/i.test(headers.get('content-type') ?? '')
  const http = `(HTTP ${status}${isPage ? ', a web page' : ''})`
  if (status >= 200 && status < 300) {
    // A page to log in at, or that of a proxy: whoever takes figures has none to show.
    return isPage ? new Refusal(`answered with a web page: check ${options.addressOption}`, false) : undefined
  }
  if (status >= 300 && status < 400) {
    return new Refusal(`answered with a redirect, which is not followed ${http}`, false)
  }
  if (status === 401 || status === 403) {
    return new Refusal(`does not accept the credentials ${http}: check ${options.credentials}`, false)
  }
  if (status === 404 || status === 405) {
    return new Refusal(`takes no figures at this address ${http}: check ${options.addressOption}`, false)
  }
  const retryAfterMs = parseRetryAfter(headers.get('retry-after'), options.clock.now().wallMs)
  if (status === 429) return new Refusal(`was asked too often ${http}`, true, retryAfterMs)
  if (status >= 500) return new Refusal(`is not able to take the figures ${http}`, true, retryAfterMs)
  return new Refusal(`did not take the figures ${http}`, false)
}
