import type { Clock } from '../../core/clock.ts'
import { exchange, NoAnswer, textOf, type Request } from '../../http/exchange.ts'
import type { Fetch } from '../../http/http-request.ts'
import { parseRetryAfter } from '../../http/retry-after.ts'
import type { Secret } from '../comet/secret.ts'
import { MlflowRefusal, refusalOf } from './mlflow-refusal.ts'

/** An answer of the API: its fields, none where it was no object. */
export type Answer = Readonly<Record<string, unknown>>

/** A request below `/api/2.0/`. */
export interface ApiCall {
  /** Such as `mlflow/runs/get`. */
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  /** Sent as JSON, by POST. */
  readonly body?: Readonly<Record<string, unknown>>
  /** Sent as it is, by PUT. */
  readonly file?: { readonly bytes: Uint8Array; readonly contentType: string }
}

/** MLflow's REST API, one request at a time. */
export interface MlflowApi {
  /** Name of the server, for messages. */
  readonly server: string
  /** Address without a slash at its end. */
  readonly url: string
  /** @throws MlflowRefusal; the reason of the signal where that broke it off */
  call(call: ApiCall, timeoutMs: number, signal: AbortSignal): Promise<Answer>
}

/** What it is asked with. */
export interface MlflowApiParts {
  readonly url: string
  readonly authorization: Secret | undefined
  readonly fetch: Fetch
  readonly clock: Clock
}

/** Failures of a connection that was never made, so that nothing can have been carried out. */
const neverSent =
  /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ETIMEOUT|ENETUNREACH|EHOSTUNREACH|ERR_TLS_.*|.*CERT.*|UNABLE_TO_.*)$/

/** Speaks with a tracking server. Redirects are not followed: they would take the credentials to somebody else. */
export function createMlflowApi({ url, authorization, fetch, clock }: MlflowApiParts): MlflowApi {
  const server = `MLflow at ${new URL(url).host}`
  const headers = {
    accept: 'application/json',
    ...(authorization === undefined ? {} : { authorization: authorization.reveal() }),
  }

  function toRequest({ path, query = {}, body, file }: ApiCall): Request {
    const search = new URLSearchParams(query).toString()
    const address = `${url}/api/2.0/${path}${search === '' ? '' : `?${search}`}`
    if (file !== undefined)
      return {
        url: address,
        method: 'PUT',
        headers: { ...headers, 'content-type': file.contentType },
        body: file.bytes,
      }
    if (body === undefined) return { url: address, headers }
    return {
      url: address,
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }
  }

  return {
    server,
    url,
    async call(call, timeoutMs, signal) {
      try {
        return await exchange(toRequest(call), { fetch, clock, timeoutMs, signal }, async (answer) => {
          const fields = toFields(await textOf(answer))
          const refusal = refusalOf(answer.status, {
            isPage: /^\s*text\/html\b/i.test(answer.headers.get('content-type') ?? ''),
            errorCode: codeIn(fields),
            retryAfterMs: parseRetryAfter(answer.headers.get('retry-after'), clock.now().wallMs),
          })
          if (refusal !== undefined) throw refusal
          return fields
        })
      } catch (error) {
        if (!(error instanceof NoAnswer)) throw error
        throw new MlflowRefusal(neverSent.test(error.code ?? '') ? 'unreachable' : 'no answer', error.message)
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

/** Nothing but a name of theirs: a server may say anything. */
function codeIn({ error_code: code }: Answer): string | undefined {
  return typeof code === 'string' && /^[A-Z][A-Z_]{0,60}$/.test(code) ? code : undefined
}
