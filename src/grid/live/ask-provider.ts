import type { Clock } from '../../core/clock.ts'
import type { Fetch, Fetched } from './http-get.ts'
import { fieldsOf, IntensityUnavailable, unusable, type LiveProvider, type LiveValue } from './provider.ts'

/** Options of {@link askProvider}. */
export interface AskOptions {
  readonly fetch: Fetch
  readonly clock: Clock
  /** For the whole exchange, up to the last byte of the body. */
  readonly timeoutMs: number
  /** Breaks the exchange off. */
  readonly signal: AbortSignal
}

/** No answer of these services has a thousandth of this. */
const mostBytes = 1_000_000

/**
 * Asks a service once.
 * @throws IntensityUnavailable whatever goes wrong; the signal's reason where that broke it off
 */
export async function askProvider(provider: LiveProvider, options: AskOptions): Promise<LiveValue> {
  const { fetch, clock, timeoutMs, signal } = options
  const end = new AbortController()
  const breakOff = (): void => {
    end.abort(signal.reason)
  }
  const cancelTimer = clock.after(timeoutMs, () => {
    end.abort(new IntensityUnavailable('timeout', `gave no complete answer within ${timeoutMs / 1000} s`))
  })
  signal.addEventListener('abort', breakOff)
  try {
    // Does not rely on `fetch` to mind the signal.
    return await Promise.race([exchange(provider, fetch, clock, end.signal), abortionOf(end.signal)])
  } catch (error) {
    // Whatever was thrown while it was being broken off: this is why.
    throw end.signal.aborted ? end.signal.reason : error
  } finally {
    cancelTimer()
    signal.removeEventListener('abort', breakOff)
    // Also ends an exchange whose body is of no interest.
    end.abort()
  }
}

function abortionOf(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => {
      reject(signal.reason as Error)
    })
  })
}

async function exchange(
  provider: LiveProvider,
  fetch: Fetch,
  clock: Clock,
  signal: AbortSignal,
): Promise<LiveValue> {
  try {
    const headers = { accept: 'application/json', ...provider.headers() }
    const response = await fetch(provider.url, { headers, redirect: 'manual', signal })
    if (response.status !== 200) throw refusalOf(response, provider, clock.now().wallMs)
    return read(await textOf(response), provider)
  } catch (error) {
    throw error instanceof IntensityUnavailable ? error : unreachable(error)
  }
}

async function textOf({ body }: Fetched): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength
    if (bytes > mostBytes) {
      throw new IntensityUnavailable('too large', `answered with more than ${mostBytes / 1e6} MB`)
    }
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

function read(text: string, provider: LiveProvider): LiveValue {
  let answer: unknown
  try {
    answer = JSON.parse(text)
  } catch {
    // Its message would quote the answer.
    throw unusable(
      text.trimStart().startsWith('<')
        ? 'answered with a web page in place of JSON'
        : 'answered with something that is no JSON, or was cut off',
    )
  }
  const fields = fieldsOf(answer)
  // Opendatasoft names its errors `error_code`, the others `error`.
  if ('error' in fields || 'error_code' in fields)
    throw unusable('answered with an error in place of a value')
  return provider.parse(answer)
}

function refusalOf(
  { status, headers }: Fetched,
  provider: LiveProvider,
  wallMs: number,
): IntensityUnavailable {
  const http = `(HTTP ${status})`
  const { tokenOption, area } = provider
  if (status >= 300 && status < 400) {
    return new IntensityUnavailable('redirect', `answered with a redirect, which is not followed ${http}`)
  }
  if (tokenOption !== undefined && (status === 401 || status === 403)) {
    const message = `does not accept the token, or not for ${area} ${http}: check ${tokenOption}`
    return new IntensityUnavailable('token refused', message, 'never')
  }
  if (status === 404 || status === 422) {
    return new IntensityUnavailable('unknown place', `does not know ${area} ${http}`, 'rarely')
  }
  if (status === 429 || status === 503) {
    const message = status === 429 ? `was asked too often ${http}` : `is not available at present ${http}`
    const after = parseRetryAfter(headers.get('retry-after'), wallMs)
    return new IntensityUnavailable('too many requests', message, 'soon', after)
  }
  return new IntensityUnavailable('server error', `answered with HTTP ${status}`)
}

/** Nobody is left alone for longer, whatever the header says. */
export const mostRetryAfterMs: number = 6 * 60 * 60_000

/** Milliseconds that a `Retry-After` header asks for, as seconds or a date (RFC 9110 §10.2.3); `undefined` where it says nothing. */
export function parseRetryAfter(header: string | null, wallMs: number): number | undefined {
  const text = header?.trim() ?? ''
  const waitMs = /^\d+$/.test(text)
    ? Number(text) * 1000
    : text.endsWith(' GMT')
      ? Date.parse(text) - wallMs
      : Number.NaN
  return waitMs > 0 ? Math.min(waitMs, mostRetryAfterMs) : undefined
}

/** Codes of failed connections, in words. Any other stands as it is. */
const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was broken off',
  ENOTFOUND: 'its name is not known (DNS)',
  EAI_AGAIN: 'its name could not be looked up (DNS)',
  ENETUNREACH: 'there is no way to it',
}

function unreachable(error: unknown): IntensityUnavailable {
  const code = codeOf(error) ?? codeOf(fieldsOf(error)['cause']) ?? 'no reason given'
  return new IntensityUnavailable('unreachable', `cannot be reached: ${reasons[code] ?? code}`)
}

function codeOf(error: unknown): string | undefined {
  const { code } = fieldsOf(error)
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]*$/.test(code) ? code : undefined
}
