import type * as OpenidClient from 'openid-client'
import type { Clock } from '../core/clock.ts'
import { bytesOf, exchange } from '../http/exchange.ts'
import type { Fetch, FetchInit } from '../http/http-request.ts'
import { LoginError, toLoginError } from './login-error.ts'
import { mayCarryTokens, type ProviderSettings } from './provider-settings.ts'

/** How a provider is spoken with. */
export interface Network {
  readonly fetch: Fetch
  readonly clock: Clock
}

/** A provider of logins that was found. */
export interface Provider {
  readonly settings: ProviderSettings
  /** Its host, for messages. */
  readonly host: string
  readonly configuration: OpenidClient.Configuration
  readonly library: typeof OpenidClient
}

/** For one request, in milliseconds. */
const timeoutMs = 20_000
/** No document or answer of a provider has a tenth of this. */
const mostBytes = 1_000_000

/**
 * Reads a provider's discovery document. Signatures of ID tokens are checked, redirects are not followed, and nothing is sent over a
 * connection that others can read.
 *
 * @throws LoginError
 */
export async function findProvider(settings: ProviderSettings, network: Network): Promise<Provider> {
  const address = new URL(settings.discoveryUrl)
  // Loaded when somebody logs in, which for most programs is never.
  const library = await import('openid-client')
  try {
    const configuration = await library.discovery(address, settings.clientId, undefined, library.None(), {
      [library.customFetch]: (url, options) => send(url, options, network),
      timeout: timeoutMs / 1000,
      // Which addresses may be without TLS is decided for each request.
      execute: [library.allowInsecureRequests, library.enableNonRepudiationChecks],
    })
    return { settings, host: address.host, configuration, library }
  } catch (error) {
    throw toLoginError(error, address.host)
  }
}

async function send(
  url: string,
  { method, headers, body, signal }: OpenidClient.CustomFetchOptions,
  { fetch, clock }: Network,
): Promise<Response> {
  if (!mayCarryTokens(url)) throw new LoginError('the provider names an address that is not https')
  const request = {
    url,
    method: method as NonNullable<FetchInit['method']>,
    headers,
    ...(typeof body === 'string' ? { body } : {}),
    ...(body instanceof URLSearchParams ? { body: body.toString() } : {}),
  }
  const options = { fetch, clock, timeoutMs, signal: signal ?? new AbortController().signal }
  return exchange(request, options, async (answer) => {
    const kept = ['content-type', 'www-authenticate', 'retry-after'].flatMap((name) => {
      const value = answer.headers.get(name)
      return value === null ? [] : [[name, value] as [string, string]]
    })
    const bytes = await bytesOf(answer, mostBytes)
    // A constructed answer without a body must have none.
    const isEmpty = answer.status === 204 || answer.status === 304
    return new Response(isEmpty ? null : bytes.slice(), { status: answer.status, headers: kept })
  })
}
