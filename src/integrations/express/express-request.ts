import type { IncomingMessage } from 'node:http'

/** A request of Express, as far as it is needed here. */
export interface ExpressRequest extends IncomingMessage {
  path?: string | undefined
  /** The route that has matched last. */
  route?: { readonly path?: unknown } | undefined
  /** Where the router is mounted, as it came. */
  baseUrl?: string | undefined
  originalUrl?: string | undefined
  params?: Readonly<Record<string, string | readonly string[]>> | undefined
}
