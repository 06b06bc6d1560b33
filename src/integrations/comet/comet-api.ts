import type { Clock } from '../../core/clock.ts'
import { exchange, NoAnswer, textOf } from '../../http/exchange.ts'
import type { Fetch } from '../../http/http-request.ts'
import { parseRetryAfter } from '../../http/retry-after.ts'
import { CometRefusal, refusalOf } from './comet-refusal.ts'
import type { Form } from './form.ts'
import type { CometSettings } from './load-settings.ts'

/** An answer of the API: its fields, none where it was no object. */
export type Answer = Readonly<Record<string, unknown>>

/** A request below `/api/rest/v2/`. */
export interface ApiCall {
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  /** Sent as JSON, by POST. */
  readonly body?: Readonly<Record<string, unknown>>
  /** Sent as it is, by POST. */
  readonly form?: Form
}

/** Comet's REST API, one request at a time. */
export interface CometApi {
  /** Name of the server, for messages. */
  readonly server: string
  /** @throws CometRefusal; the reason of the signal where that broke it off */
  call(call: ApiCall, timeoutMs: number, signal?: AbortSignal): Promise<Answer>
}

/** What it is asked with. */
export interface CometApiParts {
  readonly settings: Pick<CometSettings, 'url' | 'apiKey' | 'header'>
  readonly fetch: Fetch
  readonly clock: Clock
}

const basePath = '/api/rest/v2/'

/** Failures of a connection that was never made, or whose certificate was not accepted, so that nothing can have been carried out. */
const neverSent =
  /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ETIMEOUT|ENETUNREACH|EHOSTUNREACH|ERR_TLS_.*|.*CERT.*|UNABLE_TO_.*)$/

/** Speaks with a server. Redirects are not followed: they would take the key to somebody else. */
export function createCometApi({ settings, fetch, clock }: CometApiParts): CometApi {
  const { url, apiKey, header } = settings
  const server = `Comet at ${new URL(url).host}`
  const headers = {
    accept: 'application/json',
    ...(header === undefined ? {} : { [header.name.toLowerCase()]: header.value.reveal() }),
    authorization: apiKey?.reveal() ?? '',
  }

  return {
    server,
    async call({ path, query = {}, body, form }, timeoutMs, signal = new AbortController().signal) {
      const search = new URLSearchParams(query).toString()
      const request = {
        url: `${url}${basePath}${path}${search === '' ? '' : `?${search}`}`,
        ...(body === undefined
          ? form === undefined
            ? { headers }
            : {
                method: 'POST' as const,
                headers: { ...headers, 'content-type': form.contentType },
                body: form.body,
              }
          : {
              method: 'POST' as const,
              headers: { ...headers, 'content-type': 'application/json' },
              body: JSON.stringify(body),
            }),
      }
      try {
        return await exchange(request, { fetch, clock, timeoutMs, signal }, async (answer) => {
          const text = await textOf(answer)
          const fields = toFields(text)
          const refusal = refusalOf(answer.status, {
            isPage: /^\s*text\/html\b/i.test(answer.headers.get('content-type') ?? ''),
            sdkCode: codeIn(fields),
            retryAfterMs: parseRetryAfter(answer.headers.get('retry-after'), clock.now().wallMs),
          })
          if (refusal !== undefined) throw refusal
          return fields
        })
      } catch (error) {
        if (!(error instanceof NoAnswer)) throw error
        throw new CometRefusal(neverSent.test(error.code ?? '') ? 'unreachable' : 'no answer', error.message)
      }
    },
  }
}

function toFields(text: string): Answer {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Answer) : {}
  } catch {
    // Its status says enough.
    return {}
  }
}

/** Comet's clients for Java and Python know it by either name. */
function codeIn(fields: Answer): number | undefined {
  const code = fields['sdk_error_code'] ?? fields['sdkErrorCode']
  return typeof code === 'number' ? code : undefined
}
