import type { Clock } from '../../core/clock.ts'
import { ProbeUnavailable } from '../../core/errors.ts'
import { exchange, NoAnswer, textOf } from '../../http/exchange.ts'
import { createHttpRequest, httpRequest, type Fetch, type Fetched } from '../../http/http-request.ts'

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
  readonly clock: Clock
}

/** The service answered, and not with what was asked for. */
export class HttpRefusal extends ProbeUnavailable {
  readonly status: number

  constructor(status: number, reason: string, remedy: string) {
    super(reason, remedy)
    this.name = 'HttpRefusal'
    this.status = status
  }
}

/** Controllers are slow, and more than this they are when they are out of order. */
const timeoutMs = 5000
/** Some controllers add a slash, and do so by a redirect. */
const mostRedirects = 3

/**
 * HTTPS with the certificate checked. Redirects are followed on the same host only, so that name and password go to nobody else; none of
 * them, and no text of the service, is in any message. Keeps no program waiting. What fails is a ProbeUnavailable that says what would help.
 */
export function createGetJson(options: GetJsonOptions): GetJson {
  const { origin, user, password, ca, clock } = options
  const credentials = user === undefined ? undefined : `${user}:${password ?? ''}`
  const headers = {
    accept: 'application/json',
    'odata-version': '4.0',
    ...(credentials === undefined
      ? {}
      : { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` }),
  }
  const look = `see what it answers: curl -k ${user === undefined ? '' : `-u ${user} `}${origin.origin}/redfish/v1/Chassis`

  async function get(path: string, signal: AbortSignal, redirects: number): Promise<unknown> {
    const url = new URL(path, origin)
    if (url.origin !== origin.origin) {
      throw new ProbeUnavailable('it sends elsewhere, which is not followed', look)
    }
    const answer = await exchange(
      { url: url.href, headers },
      { fetch: await trusting(ca), clock, timeoutMs, signal },
      async (response) => ({ response, text: response.status === 200 ? await textOf(response) : undefined }),
    )
    if (answer.text !== undefined) return parse(answer.text, look)
    const { status } = answer.response
    const location = answer.response.headers.get('location')
    if (status >= 300 && status < 400 && location !== null && redirects < mostRedirects) {
      return get(new URL(location, url).href, signal, redirects + 1)
    }
    throw refusalOf(answer.response, options, look)
  }
  return (path, signal) =>
    get(path, signal, 0).catch((error: unknown) => {
      throw error instanceof NoAnswer ? told(error, options) : error
    })
}

/** Asks as the system trusts, and as the given certificates say. */
async function trusting(ca: string | undefined): Promise<Fetch> {
  if (ca === undefined) return httpRequest
  // Loaded when it is first needed, which for most programs is never.
  const { rootCertificates } = await import('node:tls')
  return createHttpRequest({ ca: [...rootCertificates, ca].join('\n') })
}

function refusalOf({ status }: Fetched, { user, password }: GetJsonOptions, look: string): HttpRefusal {
  if (status === 401) {
    const reason =
      user === undefined
        ? 'it asks for a user name and a password'
        : `it does not accept the user name ${password === undefined ? 'without a password' : 'and the password'}`
    return new HttpRefusal(
      status,
      reason,
      'give those of a user of the controller with redfish_user and redfish_password',
    )
  }
  if (status === 403) {
    return new HttpRefusal(
      status,
      'this user may not read the power',
      'give the user of redfish_user the role ReadOnly, or a higher one, in the controller',
    )
  }
  if (status === 404) {
    return new HttpRefusal(
      status,
      'it answered with HTTP 404',
      'see that redfish_url names a controller, and that Redfish is switched on in it',
    )
  }
  return new HttpRefusal(status, `it answered with HTTP ${status}`, look)
}

function parse(text: string, look: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Its own message would quote the answer.
    throw new ProbeUnavailable('it answered with something that is no JSON, or was cut off', look)
  }
}

interface Meaning {
  readonly reason?: string
  readonly remedy?: string
}

const seeAddress = 'see that redfish_url names the host, and the port, at which the controller serves HTTPS'
const seeNetwork =
  'controllers often have a network of their own: run codecarbon where it can be reached, or use ipmi on the machine itself'

/** Codes of failed connections: what would help, and the reason where the certificate is in the way. */
const meanings: Readonly<Record<string, Meaning>> = {
  ECONNREFUSED: { remedy: seeAddress },
  EPROTO: { remedy: seeAddress },
  ENOTFOUND: { remedy: 'see the name in redfish_url' },
  EAI_AGAIN: { remedy: 'see the name in redfish_url' },
  ETIMEOUT: { remedy: 'give the address of the controller in redfish_url as a number' },
  EHOSTUNREACH: { remedy: seeNetwork },
  ENETUNREACH: { remedy: seeNetwork },
  CERT_HAS_EXPIRED: {
    reason: 'its certificate has expired',
    remedy: 'renew it in the settings of the controller',
  },
  ERR_TLS_CERT_ALTNAME_INVALID: {
    reason: 'its certificate is for another name',
    remedy: 'name the controller in redfish_url as its certificate does',
  },
}

/** Signed by nobody whom the system or the given file knows. */
const untrusted: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_GET_ISSUER_CERT',
])

function told({ kind, code = '', message }: NoAnswer, { origin, ca }: GetJsonOptions): ProbeUnavailable {
  if (kind === 'timeout') return new ProbeUnavailable(`it ${message}`, seeNetwork)
  if (untrusted.has(code)) {
    return new ProbeUnavailable(
      ca === undefined
        ? 'its certificate is signed by itself or by somebody unknown, and has to be given to be trusted'
        : 'its certificate is not the one in redfish_ca_file, nor signed by it',
      saveCertificate(origin),
    )
  }
  const { reason = `it ${message}`, remedy } = meanings[code] ?? {
    remedy: code.startsWith('ERR_SSL_') ? seeAddress : undefined,
  }
  return new ProbeUnavailable(reason, remedy)
}

/** How to come by the certificate of a controller that signed it itself, as they do in the factory. */
const saveCertificate = ({ hostname, port }: URL): string =>
  `save its certificate: openssl s_client -connect ${hostname}:${port === '' ? 443 : port} </dev/null | openssl x509 > bmc.pem   and, if it is the right one, give redfish_ca_file=bmc.pem`
