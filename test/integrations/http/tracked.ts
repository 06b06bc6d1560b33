import type { RequestListener } from 'node:http'
import { onTestFinished } from 'vitest'
import { trackHttpServers, type HttpServerOptions } from '../../../src/integrations/http/http.ts'
import { recordScopes, type RecordedScopes } from './recorded-scopes.ts'
import { serve, type Served } from './serve.ts'

/** A server whose requests are tracked, both until the test is over. */
export async function tracked(
  listener: RequestListener,
  options: HttpServerOptions = {},
): Promise<Served & { readonly scopes: RecordedScopes }> {
  const scopes = recordScopes()
  const tracking = trackHttpServers({ tracker: scopes, ...options })
  onTestFinished(() => tracking.stop())
  return { ...(await serve(listener)), scopes }
}
