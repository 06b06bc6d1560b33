import type { Clock } from '../core/clock.ts'
import type { Fetch, Fetched, FetchInit } from './http-request.ts'

/** What is sent. */
export type Request = { readonly url: string } & Pick<FetchInit, 'method' | 'headers' | 'body'>

/** Options of {@link exchange}. */
export interface ExchangeOptions {
  readonly fetch: Fetch
  readonly clock: Clock
  /** For the whole exchange, up to the last byte of the body. */
  readonly timeoutMs: number
  /** Breaks the exchange off. */
  readonly signal: AbortSignal
}

/** Why there is no whole answer. The message goes on after the service's name, and holds no text of the service. */
export class NoAnswer extends Error {
  readonly kind: 'timeout' | 'unreachable' | 'too large'
  /** What the system called it: `ECONNREFUSED`; `undefined` where it has no name. */
  readonly code: string | undefined

  constructor(kind: NoAnswer['kind'], message: string, code?: string) {
    super(message)
    this.name = 'NoAnswer'
    this.kind = kind
    this.code = code
  }
}

/** Made once: the error that an abortion without a reason is given takes longer than the rest of it. */
const over = new Error('the exchange is over')

/** No answer of the services that programs ask while they run has a thousandth of this. */
const usualMostBytes = 1_000_000

/**
 * Sends a request, has the answer read, and lets go of the connection whatever comes of it.
 * @throws NoAnswer; whatever `read` throws; the signal's reason where that broke it off
 */
export async function exchange<Value>(
  request: Request,
  options: ExchangeOptions,
  read: (answer: Fetched) => Promise<Value>,
): Promise<Value> {
  const { fetch, clock, timeoutMs, signal } = options
  const end = new AbortController()
  const breakOff = (): void => {
    end.abort(signal.reason)
  }
  const cancelTimer = clock.after(timeoutMs, () => {
    end.abort(
      new NoAnswer(
        'timeout',
        `gave no complete answer within ${Number((timeoutMs / 1000).toPrecision(2))} s`,
      ),
    )
  })
  signal.addEventListener('abort', breakOff)
  try {
    signal.throwIfAborted()
    // Does not rely on `fetch` to mind the signal.
    return await Promise.race([send(request, fetch, end.signal).then(read), abortionOf(end.signal)])
  } catch (error) {
    // Whatever was thrown while it was being broken off: this is why.
    throw end.signal.aborted ? end.signal.reason : error
  } finally {
    cancelTimer()
    signal.removeEventListener('abort', breakOff)
    // Also ends an exchange whose body is of no interest.
    end.abort(over)
  }
}

function abortionOf(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => {
      reject(signal.reason as Error)
    })
  })
}

async function send({ url, ...init }: Request, fetch: Fetch, signal: AbortSignal): Promise<Fetched> {
  try {
    return await fetch(url, { ...init, redirect: 'manual', signal })
  } catch (error) {
    throw unreachable(error)
  }
}

/** The whole body, as text. @throws NoAnswer */
export async function textOf(answer: Fetched, mostBytes: number = usualMostBytes): Promise<string> {
  return new TextDecoder().decode(await bytesOf(answer, mostBytes))
}

/** The whole body. @throws NoAnswer */
export async function bytesOf({ body }: Fetched, mostBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  try {
    for await (const chunk of body ?? []) {
      bytes += chunk.byteLength
      if (bytes > mostBytes) throw new NoAnswer('too large', `answered with more than ${mostBytes / 1e6} MB`)
      chunks.push(chunk)
    }
  } catch (error) {
    throw error instanceof NoAnswer ? error : unreachable(error)
  }
  return Buffer.concat(chunks)
}

/** Codes of failed connections, in words. Any other stands as it is. */
const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was broken off',
  ENOTFOUND: 'its name is not known (DNS)',
  EHOSTUNREACH: 'there is no way to it',
  EPROTO: 'it does not speak TLS there',
  EAI_AGAIN: 'its name could not be looked up (DNS)',
  ETIMEOUT: 'no name server answers (DNS)',
  ENETUNREACH: 'there is no way to it',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is signed by itself',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is signed by somebody whom this system does not know',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is signed by somebody whom this system does not know',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
}

function unreachable(error: unknown): NoAnswer {
  const code = codeOf(error) ?? codeOf(fieldOf(error, 'cause'))
  const reason = code === undefined ? 'no reason given' : (reasons[code] ?? code)
  return new NoAnswer('unreachable', `cannot be reached: ${reason}`, code)
}

function codeOf(error: unknown): string | undefined {
  const code = fieldOf(error, 'code')
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]*$/.test(code) ? code : undefined
}

const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined
