import type { IncomingMessage } from 'node:http'

/** Fetches JSON from the service that it was made for, by path. */
export type GetJson = (path: string, signal: AbortSignal) => Promise<unknown>

/** Options of {@link createGetJson}. */
export interface GetJsonOptions {
  /** Where the service is: `https://bmc.example`. */
  readonly origin: URL
  readonly user?: string | undefined
  readonly password?: string | undefined
  /** Certificates (PEM) to trust besides the system's, as of a controller that signed its own. */
  readonly ca?: string | undefined
}

/** The service answered, and not with what was asked for. */
export class HttpRefusal extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.name = 'HttpRefusal'
    this.status = status
  }
}

/** Controllers are slow, and more than this they are when they are out of order. */
const timeoutMs = 5000
/** No answer that is asked for here has a hundredth of this. */
const mostBytes = 1_000_000
/** Some controllers add a slash, and do so by a redirect. */
const mostRedirects = 3

/**
 * HTTPS with the certificate checked. Redirects are followed on the same host only, so that name and password go to nobody else; none of
 * them, and no text of the service, is in any message. Keeps no program waiting.
 */
export function createGetJson({ origin, user, password, ca }: GetJsonOptions): GetJson {
  const credentials = user === undefined ? undefined : `${user}:${password ?? ''}`
  const headers = {
    accept: 'application/json',
    'odata-version': '4.0',
    ...(credentials === undefined
      ? {}
      : { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` }),
  }

  async function get(path: string, signal: AbortSignal, redirects: number): Promise<unknown> {
    const url = new URL(path, origin)
    if (url.origin !== origin.origin) throw new Error('it sends elsewhere, which is not followed')
    const response = await send(url, headers, ca, signal)
    const status = response.statusCode ?? 0
    const { location } = response.headers
    if (status >= 300 && status < 400 && location !== undefined && redirects < mostRedirects) {
      response.destroy()
      return get(new URL(location, url).href, signal, redirects + 1)
    }
    if (status === 200) return parse(await textOf(response))
    response.destroy()
    throw new HttpRefusal(status, refusals[status] ?? `it answered with HTTP ${status}`)
  }
  return (path, signal) =>
    get(path, AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]), 0).catch((error: unknown) => {
      throw told(error)
    })
}

const refusals: Readonly<Record<number, string>> = {
  401: 'it does not accept user name and password',
  403: 'this user may not read the power',
}

async function send(
  url: URL,
  headers: Record<string, string>,
  ca: string | undefined,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  // Loaded when it is first needed, which for most programs is never.
  const { request } = await import('node:https')
  const { rootCertificates } = await import('node:tls')
  const trust = ca === undefined ? {} : { ca: [...rootCertificates, ca] }
  return new Promise((resolve, reject) => {
    const exchange = request(url, { headers, signal, agent: false, ...trust }, resolve)
    exchange.on('socket', (socket) => {
      socket.unref()
    })
    exchange.on('error', reject)
    exchange.end()
  })
}

async function textOf(response: IncomingMessage): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  for await (const chunk of response) {
    const part = chunk as Uint8Array
    bytes += part.byteLength
    if (bytes > mostBytes) throw new Error(`it answered with more than ${mostBytes / 1e6} MB`)
    text += decoder.decode(part, { stream: true })
  }
  return text + decoder.decode()
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Its own message would quote the answer.
    throw new Error('it answered with something that is no JSON, or was cut off')
  }
}

/** Codes of failed connections, in words. Any other stands as it is. */
const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was broken off',
  ENOTFOUND: 'its name is not known (DNS)',
  EHOSTUNREACH: 'there is no way to it',
  ENETUNREACH: 'there is no way to it',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'it signed its certificate itself, which has to be given to be trusted',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is signed by somebody unknown, whose own has to be given',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is signed by somebody unknown, whose own has to be given',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
}

function told(error: unknown): Error {
  if (error instanceof Error && error.name === 'TimeoutError')
    return new Error(`it gave no answer within ${timeoutMs / 1000} s`)
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (typeof code === 'string' && code !== 'ABORT_ERR') return new Error(reasons[code] ?? code)
  return error instanceof Error ? error : new Error(String(error))
}
