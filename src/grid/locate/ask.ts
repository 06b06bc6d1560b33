import { exchange, NoAnswer, textOf, type ExchangeOptions, type Request } from '../../http/exchange.ts'
import type { Fetched } from '../../http/http-request.ts'
import { fieldsOf, parseAnswer } from '../live/json-fields.ts'
import { parseRetryAfter } from '../../http/retry-after.ts'
import { LookupFailure, unusable } from './step.ts'

/** A whole answer with status 200. */
export interface Answer {
  readonly headers: Fetched['headers']
  readonly text: string
}

/** Asks once. @throws LookupFailure whatever goes wrong; the signal's reason where that broke it off */
export type Ask = (request: Request) => Promise<Answer>

/** A function to ask with. All that is asked by it has to come within `timeoutMs` from now. */
export function createAsk(options: ExchangeOptions): Ask {
  const { clock, timeoutMs } = options
  const begin = clock.now().monotonic
  return async (request) => {
    const left = timeoutMs - (clock.now().monotonic - begin) * 1000
    try {
      if (left <= 0) throw new NoAnswer('timeout', '')
      return await exchange(request, { ...options, timeoutMs: left }, async (response) => {
        if (response.status !== 200) throw refusalOf(response, clock.now().wallMs)
        return { headers: response.headers, text: await textOf(response) }
      })
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error
      // Not the time that was left to this request, but what all of them had.
      const message =
        error.kind === 'timeout' ? `gave no complete answer within ${timeoutMs / 1000} s` : error.message
      throw new LookupFailure(error.kind, message)
    }
  }
}

function refusalOf({ status, headers }: Fetched, wallMs: number): LookupFailure {
  const http = `(HTTP ${status})`
  if (status >= 300 && status < 400) {
    return new LookupFailure('redirect', `answered with a redirect, which is not followed ${http}`)
  }
  if (status === 429 || status === 503) {
    const after = parseRetryAfter(headers.get('retry-after'), wallMs)
    return new LookupFailure('too many requests', `asks to be left alone ${http}`, after)
  }
  return new LookupFailure('refused', `answered with HTTP ${status}`)
}

/** The fields of an answer in JSON. @throws LookupFailure */
export function jsonOf({ text }: Answer): Readonly<Record<string, unknown>> {
  const answer = parseAnswer(text, unusable)
  const fields = fieldsOf(answer)
  if ('error' in fields) throw unusable('answered with an error in place of a place')
  return fields
}
