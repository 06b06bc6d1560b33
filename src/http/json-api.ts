import type { Clock } from '../core/clock.ts'
import { bytesOf, exchange, NoAnswer, textOf, type Request } from './exchange.ts'
import type { Fetch, Fetched } from './http-request.ts'
import type { AnswerHead, Refusal, UsualKind } from './refusal.ts'
import { parseRetryAfter } from './retry-after.ts'

/** An answer of the API: its fields, none where it was no object. */
export type Answer = Readonly<Record<string, unknown>>

/** A request. */
export interface ApiCall {
  /** Behind the base path. */
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  /** Sent as JSON, by POST. */
  readonly body?: Readonly<Record<string, unknown>>
  /** Sent as it is, in place of a body. */
  readonly upload?: Upload
}

/** Bytes that are sent as they are. */
export interface Upload {
  readonly method: 'POST' | 'PUT'
  readonly contentType: string
  readonly bytes: Uint8Array
}

/** An API that speaks JSON, one request at a time. */
export interface JsonApi {
  /** Name of the server, for messages. */
  readonly server: string
  /** Address without a slash at its end. */
  readonly url: string
  /** @throws the service's Refusal; the reason of the signal where that broke it off */
  call(call: ApiCall, timeoutMs: number, signal?: AbortSignal): Promise<Answer>
  /** The same where the answer is a file. */
  download(call: ApiCall, timeoutMs: number, signal?: AbortSignal): Promise<Uint8Array>
}

/** How a service says that something is wrong. */
export interface RefusalRules<Kind extends string> {
  /** The service's own code in an answer; `undefined` where nothing is wrong by it. */
  codeIn(fields: Answer): number | string | undefined
  /** What is wrong with an answer; `undefined` where nothing is. */
  kindOf(head: AnswerHead, code: number | string | undefined): Kind | UsualKind | undefined
  /** They go on after the server's name. */
  readonly words: Readonly<Record<Kind | UsualKind, string>>
  readonly Refusal: new (kind: Kind | UsualKind, message: string, retryAfterMs?: number) => Refusal<Kind>
}

/** Options of {@link createJsonApi}. */
export interface JsonApiOptions<Kind extends string> {
  /** The service, for messages. */
  readonly name: string
  /** Without a slash at its end. */
  readonly url: string
  /** Behind the address: `/api/`. */
  readonly basePath: string
  /** Who asks. */
  readonly headers: Readonly<Record<string, string>>
  readonly rules: RefusalRules<Kind>
  readonly fetch: Fetch
  readonly clock: Clock
}

/** Of an answer: lists of thousands of experiments or points have their megabytes. */
const mostBytes = 64_000_000
/** Of a file, as the largest that can be sent. */
const mostFileBytes = 210_000_000

/** Failures of a connection that was never made, or whose certificate was not accepted, so that nothing can have been carried out. */
const neverSent =
  /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ETIMEOUT|ENETUNREACH|EHOSTUNREACH|ERR_TLS_.*|.*CERT.*|UNABLE_TO_.*)$/

/** Speaks with a server. Redirects are not followed: they would take the credentials to somebody else. */
export function createJsonApi<Kind extends string>(options: JsonApiOptions<Kind>): JsonApi {
  const { name, url, basePath, rules, fetch, clock } = options
  const headers = { accept: 'application/json', ...options.headers }

  function toRequest({ path, query = {}, body, upload }: ApiCall): Request {
    const search = new URLSearchParams(query).toString()
    const address = `${url}${basePath}${path}${search === '' ? '' : `?${search}`}`
    if (upload !== undefined)
      return {
        url: address,
        method: upload.method,
        headers: { ...headers, 'content-type': upload.contentType },
        body: upload.bytes,
      }
    if (body === undefined) return { url: address, headers }
    return {
      url: address,
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }
  }

  async function read(answer: Fetched): Promise<Answer> {
    const fields = parseFields(await textOf(answer, mostBytes))
    const refusal = refusalOf(answer, fields)
    if (refusal !== undefined) throw refusal
    return fields
  }

  async function readFile(answer: Fetched): Promise<Uint8Array> {
    if (answer.status === 200) return bytesOf(answer, mostFileBytes)
    throw refusalOf(answer, {}) ?? new rules.Refusal('refused', rules.words.refused)
  }

  async function ask<Value>(
    call: ApiCall,
    timeoutMs: number,
    signal: AbortSignal = new AbortController().signal,
    reading: (answer: Fetched) => Promise<Value>,
  ): Promise<Value> {
    try {
      return await exchange(toRequest(call), { fetch, clock, timeoutMs, signal }, reading)
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error
      const isSent = !neverSent.test(error.code ?? '')
      const kind = error.kind === 'too large' ? 'refused' : isSent ? 'no answer' : 'unreachable'
      throw new rules.Refusal(kind, error.message)
    }
  }

  function refusalOf({ status, headers: answered }: Fetched, fields: Answer): Refusal<Kind> | undefined {
    const isPage = /^\s*text\/html\b/i.test(answered.get('content-type') ?? '')
    const code = rules.codeIn(fields)
    const kind = rules.kindOf({ status, isPage }, code)
    if (kind === undefined) return undefined
    const facts = [
      `HTTP ${status}`,
      ...(code === undefined ? [] : [typeof code === 'number' ? `code ${code}` : code]),
      ...(isPage ? ['a web page'] : []),
    ]
    return new rules.Refusal(
      kind,
      `${rules.words[kind]} (${facts.join(', ')})`,
      parseRetryAfter(answered.get('retry-after'), clock.now().wallMs),
    )
  }

  return {
    server: `${name} at ${new URL(url).host}`,
    url,
    call: (call, timeoutMs, signal) => ask(call, timeoutMs, signal, read),
    download: (call, timeoutMs, signal) => ask(call, timeoutMs, signal, readFile),
  }
}

function parseFields(text: string): Answer {
  try {
    return fieldsOf(JSON.parse(text))
  } catch {
    // Its status says enough.
    return {}
  }
}

/** The fields of an object in an answer; none where it is anything else. */
export const fieldsOf = (value: unknown): Answer =>
  typeof value === 'object' && value !== null ? (value as Answer) : {}
