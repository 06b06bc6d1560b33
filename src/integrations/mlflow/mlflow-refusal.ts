import type { RefusalRules } from '../../http/json-api.ts'
import { kindOfHead, Refusal, usualWords, type UsualKind } from '../../http/refusal.ts'

/**
 * Why something did not come to MLflow, besides the usual.
 *
 * - `missing`, `exists`: of what it is about there is none, or one already
 * - `credentials`: a person has to change something
 */
type MlflowKind = 'missing' | 'exists' | 'credentials'

/** A request that MLflow did not carry out. */
export class MlflowRefusal extends Refusal<MlflowKind> {
  override readonly name = 'MlflowRefusal'
}

/** Codes of MLflow (`error_code`); all others are told by their status. */
const kindsByCode: ReadonlyMap<unknown, MlflowKind | UsualKind> = new Map([
  ['RESOURCE_DOES_NOT_EXIST', 'missing'],
  ['RESOURCE_ALREADY_EXISTS', 'exists'],
  ['UNAUTHENTICATED', 'credentials'],
  ['CUSTOMER_UNAUTHORIZED', 'credentials'],
  ['PERMISSION_DENIED', 'access'],
  ['ENDPOINT_NOT_FOUND', 'address'],
  ['REQUEST_LIMIT_EXCEEDED', 'busy'],
  ['TEMPORARILY_UNAVAILABLE', 'server'],
])

/** A code counts where the status is that of an error. */
export const refusalRules: RefusalRules<MlflowKind> = {
  // Nothing but a name of theirs: a server may say anything.
  codeIn: ({ error_code: code }) =>
    typeof code === 'string' && /^[A-Z][A-Z_]{0,60}$/.test(code) ? code : undefined,
  kindOf: (head, code) =>
    (head.status >= 400 ? kindsByCode.get(code) : undefined) ??
    (head.status === 401 ? 'credentials' : kindOfHead(head)),
  words: {
    ...usualWords,
    missing: 'does not have what it was asked about',
    exists: 'has one of that name already',
    credentials:
      'does not accept the credentials: check MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN',
    access: 'does not allow that: ask for the right to write to the experiment',
    address: 'has no MLflow at this address: check MLFLOW_TRACKING_URI (trackingUri in code)',
  },
  Refusal: MlflowRefusal,
}
