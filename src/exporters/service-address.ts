/** The address of a service, and who asks it. */
export interface ServiceAddress {
  /** Without credentials. */
  readonly url: URL
  /** Those that stand in the address, or the given ones, as a header. */
  readonly headers: Record<string, string>
}

/** Credentials for basic authentication (RFC 7617). */
export interface Credentials {
  readonly user: string
  readonly password: string
}

/**
 * Takes user name and password out of an address, so that nothing that names it can give them away.
 * @throws an error without the text of the address, where it is none
 */
export function parseServiceAddress(text: string, given?: Credentials): ServiceAddress {
  const url = toUrl(text)
  const inside =
    url.username === '' && url.password === ''
      ? undefined
      : { user: decode(url.username), password: decode(url.password) }
  url.username = ''
  url.password = ''
  const credentials = inside ?? given
  return { url, headers: credentials === undefined ? {} : { authorization: basic(credentials) } }
}

/**
 * Quotes what was given as an address, for a message: without what stands before the last `@` and behind the first `?`, where secrets may be. Whoever
 * quotes it could not read it as a URL, so that nothing says where those begin.
 */
export function quoteAddress(text: string): string {
  const [address = '', ...query] = text.split('?')
  const masked = address.replace(/^([a-z][a-z\d+.-]*:\/\/)?.*@/is, '$1***@')
  return JSON.stringify(query.length === 0 ? masked : `${masked}?***`)
}

function toUrl(text: string): URL {
  try {
    const url = new URL(text)
    if (/^https?:$/.test(url.protocol)) return url
  } catch {
    // Its own message would quote the address, credentials and all.
  }
  throw new Error('its address is none of the form http://host:port or https://host')
}

/** A `%` that means itself stays as it is. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

const basic = ({ user, password }: Credentials): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
