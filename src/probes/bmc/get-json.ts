import type { IncomingMessage } from 'node:http'
import { ProbeUnavailable } from '../../core/errors.ts'

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
export class HttpRefusal extends ProbeUnavailable {
  readonly status: number

  constructor(status: number) {
    const { reason, remedy } = refusals[status] ?? { reason: `it answered with HTTP ${status}` }
    super(reason, remedy)
    this.name = 'HttpRefusal'
    this.status = status
  }
}

interface Meaning {
  readonly reason: string
  readonly remedy?: string
}

const refusals: Readonly<Record<number, Meaning>> = {
  401: {
    reason: 'it does not accept user name and password',
    remedy: 'give those of a user of the controller with redfish_user and redfish_password',
  },
  403: {
    reason: 'this user may not read the power',
    remedy: 'give the user of redfish_user the role ReadOnly, or a higher one, in the controller',
  },
  404: {
    reason: 'it answered with HTTP 404',
    remedy: 'see that redfish_url names a controller, and that Redfish is switched on in it',
  },
}

/** Controllers are slow, and more than this they are when they are out of order. */
const timeoutMs = 5000
/** No answer that is asked for here has a hundredth of this. */
const mostBytes = 1_000_000
/** Some controllers add a slash, and do so by a redirect. */
const mostRedirects = 3

/**
 * HTTPS with the certificate checked. Redirects are followed on the same host only, so that name and password go to nobody else; none of
 * them, and no text of the service, is in any message. Keeps no program waiting. What fails is a ProbeUnavailable where something would help.
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
    throw new HttpRefusal(status)
  }
  return (path, signal) =>
    get(path, AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]), 0).catch((error: unknown) => {
      throw told(error, origin)
    })
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

const seeAddress = 'see that redfish_url names the host, and the port, at which the controller serves HTTPS'
const seeNetwork =
  'controllers often have a network of their own: run codecarbon where it can be reached, or use ipmi on the machine itself'

/** How to come by the certificate of a controller that signed it itself, as they do in the factory. */
const saveCertificate = ({ hostname, port }: URL): string =>
  `save its certificate: openssl s_client -connect ${hostname}:${port === '' ? 443 : port} </dev/null | openssl x509 > bmc.pem   and, if it is the right one, give redfish_ca_file=bmc.pem`

/** Codes of failed connections, in words. Any other stands as it is. */
function meaningOf(code: string, origin: URL): Meaning {
  const known: Readonly<Record<string, Meaning>> = {
    ECONNREFUSED: { reason: 'the connection was refused', remedy: seeAddress },
    ECONNRESET: { reason: 'the connection was broken off', remedy: seeAddress },
    EPROTO: { reason: 'it does not speak TLS there', remedy: seeAddress },
    ENOTFOUND: { reason: 'its name is not known (DNS)', remedy: 'see the name in redfish_url' },
    EAI_AGAIN: { reason: 'its name cannot be asked for now (DNS)', remedy: 'see the name in redfish_url' },
    EHOSTUNREACH: { reason: 'there is no way to it', remedy: seeNetwork },
    ENETUNREACH: { reason: 'there is no way to it', remedy: seeNetwork },
    DEPTH_ZERO_SELF_SIGNED_CERT: {
      reason: 'it signed its certificate itself, which has to be given to be trusted',
      remedy: saveCertificate(origin),
    },
    SELF_SIGNED_CERT_IN_CHAIN: unknownSigner,
    UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownSigner,
    UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownSigner,
    CERT_HAS_EXPIRED: {
      reason: 'its certificate has expired',
      remedy: 'renew it in the settings of the controller',
    },
    ERR_TLS_CERT_ALTNAME_INVALID: {
      reason: 'its certificate is for another name',
      remedy: 'name the controller in redfish_url as its certificate does',
    },
  }
  return (
    known[code] ?? (code.startsWith('ERR_SSL_') ? { ...known['EPROTO'], reason: code } : { reason: code })
  )
}

const unknownSigner: Meaning = {
  reason: 'its certificate is signed by somebody unknown, whose own has to be given',
  remedy: 'give the certificate of who signed it (PEM) with redfish_ca_file',
}

function told(error: unknown, origin: URL): Error {
  if (error instanceof Error && error.name === 'TimeoutError')
    return new ProbeUnavailable(`it gave no answer within ${timeoutMs / 1000} s`, seeNetwork)
  if (error instanceof ProbeUnavailable) return error
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (typeof code !== 'string' || code === 'ABORT_ERR') {
    return error instanceof Error ? error : new Error(String(error))
  }
  const { reason, remedy } = meaningOf(code, origin)
  return new ProbeUnavailable(reason, remedy)
}
