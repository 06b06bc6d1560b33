import type { Clock } from '../../core/clock.ts'
import type { Fetch } from '../../http/http-request.ts'
import { createJsonApi, type JsonApi } from '../../http/json-api.ts'
import type { Secret } from '../../http/secret.ts'
import { refusalRules } from './mlflow-refusal.ts'

/** What MLflow is asked with. */
export interface MlflowApiParts {
  /** Without a slash at its end. */
  readonly url: string
  /** Value of the header. */
  readonly authorization: Secret | undefined
  readonly fetch: Fetch
  readonly clock: Clock
}

/** MLflow's REST API (2.0), whose calls throw MlflowRefusal. */
export function createMlflowApi({ url, authorization, fetch, clock }: MlflowApiParts): JsonApi {
  return createJsonApi({
    name: 'MLflow',
    basePath: '/api/2.0/',
    headers: authorization === undefined ? {} : { authorization: authorization.reveal() },
    rules: refusalRules,
    ...{ url, fetch, clock },
  })
}
