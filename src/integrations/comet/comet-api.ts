import type { Clock } from '../../core/clock.ts'
import type { Fetch } from '../../http/http-request.ts'
import { createJsonApi, type JsonApi } from '../../http/json-api.ts'
import { refusalRules } from './comet-refusal.ts'
import type { CometSettings } from './load-settings.ts'

/** What Comet is asked with. */
export interface CometApiParts {
  readonly settings: Pick<CometSettings, 'url' | 'apiKey' | 'header'>
  readonly fetch: Fetch
  readonly clock: Clock
}

/** Comet's REST API (v2), whose calls throw CometRefusal. */
export function createCometApi({ settings, fetch, clock }: CometApiParts): JsonApi {
  const { url, apiKey, header } = settings
  const headers = {
    ...(header === undefined ? {} : { [header.name.toLowerCase()]: header.value.reveal() }),
    authorization: apiKey?.reveal() ?? '',
  }
  return createJsonApi({
    name: 'Comet',
    basePath: '/api/rest/v2/',
    rules: refusalRules,
    ...{ url, headers, fetch, clock },
  })
}
