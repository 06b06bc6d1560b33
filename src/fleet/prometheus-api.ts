import type { Clock } from '../core/clock.ts'
import { ConfigError, EnergyError, messageOf } from '../core/errors.ts'
import { parseServiceAddress, type Credentials } from '../exporters/service-address.ts'
import { exchange, NoAnswer, textOf } from '../http/exchange.ts'
import type { Fetch, Fetched } from '../http/http-request.ts'
import { parseRetryAfter } from '../http/retry-after.ts'
import { parseAnswer, type Series } from './prometheus-answer.ts'

/** Options of {@link createPrometheusApi}. */
export interface PrometheusApiOptions {
  /** Base address as users know it, with the prefix of its path where it has one, and perhaps with user and password. */
  readonly address: string
  readonly headers: Readonly<Record<string, string>>
  readonly credentials: Credentials | undefined
  readonly fetch: Fetch
  readonly clock: Clock
  /** For one question, up to the last byte of its answer. */
  readonly timeoutMs: number
}

/** A Prometheus, or what speaks its language: Thanos, Mimir, VictoriaMetrics. */
export interface PrometheusApi {
  /** The address without credentials. */
  readonly address: string
  /** What an expression is at one moment; for one that ends in `[5m]`, every sample of that time. */
  query(expr: string, atMs: number): Promise<readonly Series[]>
  /** What an expression is at evenly spaced moments, the first and the last included. */
  queryRange(expr: string, moments: Moments): Promise<readonly Series[]>
  /** Warnings of all answers so far, each once: where there are any, something may be missing. */
  warnings(): readonly string[]
}

/** Evenly spaced moments, in milliseconds since 1970. */
export interface Moments {
  readonly fromMs: number
  readonly toMs: number
  readonly stepMs: number
}

/** It was asked for more than it gives at once; a part of it may be answered. */
export class TooMuchAsked extends EnergyError {
  constructor(message: string) {
    super('ERR_QUERY_FAILED', message)
    this.name = 'TooMuchAsked'
  }
}

/** Room for a day of a thousand machines. */
const mostBytes = 256_000_000
const attempts = 4
const firstPauseMs = 500
/** Nobody waits longer at a prompt, whatever `Retry-After` says. */
const longestPauseMs = 30_000

/**
 * Asks the HTTP API of Prometheus. No redirect is followed: it would take credentials to somebody else.
 * @throws ConfigError for an address that is none; every question rejects with EnergyError ERR_QUERY_FAILED, which holds no credentials
 */
export function createPrometheusApi(options: PrometheusApiOptions): PrometheusApi {
  const { fetch, clock, timeoutMs } = options
  const { base, headers: own } = toBase(options)
  const headers = { ...own, ...lowerCased(options.headers), accept: 'application/json' }
  const warnings = new Set<string>()
  let isPostRefused = false

  async function ask(path: string, fields: Readonly<Record<string, string>>): Promise<readonly Series[]> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- one attempt after another
        return await askOnce(path, new URLSearchParams(fields).toString())
      } catch (error) {
        if (error instanceof PostRefused && !isPostRefused) {
          isPostRefused = true
          continue
        }
        const failure = error instanceof Failure ? error : failureOf(error)
        if (failure.isTooMuch) throw new TooMuchAsked(`Prometheus at ${base} ${failure.message}`)
        if (!failure.mayPass || attempt >= attempts) {
          throw new EnergyError('ERR_QUERY_FAILED', `Prometheus at ${base} ${failure.message}`, {
            cause: error,
          })
        }
        const pauseMs = Math.max(firstPauseMs * 2 ** (attempt - 1), failure.retryAfterMs ?? 0)
        // oxlint-disable-next-line no-await-in-loop -- the pause between two attempts
        await new Promise<void>((resolve) => {
          clock.after(Math.min(pauseMs, longestPauseMs), resolve)
        })
      }
    }
  }

  async function askOnce(path: string, form: string): Promise<readonly Series[]> {
    const url = `${base}/api/v1/${path}`
    const request = isPostRefused
      ? { url: `${url}?${form}`, headers }
      : {
          url,
          method: 'POST' as const,
          headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
          body: form,
        }
    const { signal } = new AbortController()
    const text = await exchange(request, { fetch, clock, timeoutMs, signal }, async (answer) => {
      if (!isPostRefused && [405, 501].includes(answer.status)) throw new PostRefused()
      const body = await textOf(answer, mostBytes)
      checkStatus(answer, body, clock)
      return body
    })
    const answer = parseAnswer(text)
    if (answer === undefined || 'error' in answer) {
      throw new Failure('answered with something else than the API of Prometheus: check the address')
    }
    for (const warning of answer.warnings) warnings.add(oneLine(warning))
    return answer.series
  }

  return {
    address: base,
    query: (query, atMs) => ask('query', { query, time: toSeconds(atMs) }),
    queryRange: (query, { fromMs, toMs, stepMs }) =>
      ask('query_range', {
        query,
        start: toSeconds(fromMs),
        end: toSeconds(toMs),
        step: toSeconds(stepMs),
      }),
    warnings: () => [...warnings],
  }
}

function toBase({ address, credentials }: PrometheusApiOptions): {
  readonly base: string
  readonly headers: Record<string, string>
} {
  const trimmed = address.trim()
  try {
    const { url, headers } = parseServiceAddress(
      /^[a-z][a-z\d+.-]*:\/\//i.test(trimmed) ? trimmed : `http://${trimmed}`,
      credentials,
    )
    if (url.search !== '' || url.hash !== '')
      throw new Error('it has a ? or a #, which a base address has not')
    const path = url.pathname.replace(/\/+$/, '').replace(/\/api\/v1(\/query(_range)?)?$/, '')
    return { base: `${url.origin}${path}`, headers }
  } catch (error) {
    throw new ConfigError(
      `--from-prometheus: ${messageOf(error)}; expected the address of a Prometheus, such as http://localhost:9090 or https://mimir.example/prometheus`,
      { cause: error },
    )
  }
}

const lowerCased = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

/** Why there is no answer. The message goes on after the name of the Prometheus. */
class Failure extends Error {
  readonly mayPass: boolean
  readonly isTooMuch: boolean
  readonly retryAfterMs: number | undefined

  constructor(
    message: string,
    kind?: 'may pass' | 'too much',
    retryAfterMs?: number,
    options?: ErrorOptions,
  ) {
    super(message, options)
    this.name = 'Failure'
    this.mayPass = kind === 'may pass'
    this.isTooMuch = kind === 'too much'
    this.retryAfterMs = retryAfterMs
  }
}

/** Some gateways let nothing through but GET. */
class PostRefused extends Error {}

function failureOf(error: unknown): Failure {
  if (!(error instanceof NoAnswer)) throw error
  if (error.kind !== 'unreachable') return new Failure(error.message, 'too much', undefined, { cause: error })
  const isTls = /CERT|SSL|TLS|EPROTO|SIGNATURE/.test(error.code ?? '')
  const hint = isTls
    ? '; the certificate that signed its own is told by tls_config.ca_file of --http-config-file'
    : ''
  return new Failure(`${error.message}${hint}`, isTls ? undefined : 'may pass', undefined, { cause: error })
}

/** Prometheus says so in words alone. */
const saysTooMuch =
  /too many (samples|points|series)|exceeded maximum resolution|timed? ?out|too (large|long)|limit/i

/** @throws Failure unless it is a success */
function checkStatus({ status, headers }: Fetched, body: string, clock: Clock): void {
  if (status >= 200 && status < 300) return
  const http = `(HTTP ${status})`
  if (status >= 300 && status < 400) {
    throw new Failure(
      `answered with a redirect${placeOf(headers.get('location'))}, which is not followed ${http}`,
    )
  }
  if (status === 401 || status === 403) {
    throw new Failure(
      `does not accept who asks ${http}: check the user and password in its address, PROMETHEUS_USERNAME and PROMETHEUS_PASSWORD, PROMETHEUS_BEARER_TOKEN, --header or --http-config-file`,
    )
  }
  const answer = parseAnswer(body)
  const said = answer !== undefined && 'error' in answer ? answer.error : undefined
  const why = said === undefined ? '' : `: ${oneLine(said)}`
  if (status === 404 && said === undefined) {
    throw new Failure(`has no API at this address ${http}: expected the address that /api/v1/query follows`)
  }
  // A question that is not understood is quoted, whatever words are in it.
  const isTooMuch = status === 400 ? /exceeded maximum resolution/ : saysTooMuch
  if (status === 413 || (said !== undefined && isTooMuch.test(said))) {
    throw new Failure(`was asked for too much at once ${http}${why}`, 'too much')
  }
  const retryAfterMs = parseRetryAfter(headers.get('retry-after'), clock.now().wallMs)
  if (status === 429) throw new Failure(`was asked too often ${http}${why}`, 'may pass', retryAfterMs)
  // 504 is also what proxies say of a question that takes too long.
  if (status === 504) throw new Failure(`did not answer in time ${http}${why}`, 'too much')
  if (status >= 500) throw new Failure(`is not able to answer ${http}${why}`, 'may pass', retryAfterMs)
  throw new Failure(`refuses the question ${http}${why}`)
}

/** Where a redirect leads, without what may be secret in it. */
function placeOf(location: string | null): string {
  try {
    const { origin, pathname } = new URL(location ?? '')
    return ` to ${oneLine(`${origin}${pathname}`)}`
  } catch {
    return ''
  }
}

/** What a service says, as a piece of one line. */
const oneLine = (text: string): string => {
  const line = text.replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim()
  return line.length > 300 ? `${line.slice(0, 300)}…` : line
}

const toSeconds = (ms: number): string => String(ms / 1000)
