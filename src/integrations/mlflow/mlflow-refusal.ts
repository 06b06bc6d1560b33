/**
 * Why something did not come to MLflow.
 *
 * - `unreachable`: it was never sent; `no answer`: it may have been carried out; `busy` and `server`: try again later
 * - `missing`, `exists`: of what it is about there is none, or one already
 * - `credentials`, `access`, `address`: a person has to change something
 * - `refused`: this one thing was not taken
 */
export type RefusalKind =
  | 'unreachable'
  | 'no answer'
  | 'busy'
  | 'server'
  | 'missing'
  | 'exists'
  | 'credentials'
  | 'access'
  | 'address'
  | 'refused'

const passing: ReadonlySet<RefusalKind> = new Set(['unreachable', 'no answer', 'busy', 'server'])

/** A request that brought nothing. The message goes on after the server's name, and holds no text of the server and no secret. */
export class MlflowRefusal extends Error {
  readonly kind: RefusalKind
  readonly retryAfterMs: number | undefined

  constructor(kind: RefusalKind, message: string, retryAfterMs?: number) {
    super(message)
    this.name = 'MlflowRefusal'
    this.kind = kind
    this.retryAfterMs = retryAfterMs
  }

  /** The same may be taken a little later. */
  get mayPass(): boolean {
    return passing.has(this.kind)
  }
}

/** Codes of MLflow (`error_code`); all others are told by their status. */
const kindsByCode: ReadonlyMap<string, RefusalKind> = new Map([
  ['RESOURCE_DOES_NOT_EXIST', 'missing'],
  ['RESOURCE_ALREADY_EXISTS', 'exists'],
  ['UNAUTHENTICATED', 'credentials'],
  ['CUSTOMER_UNAUTHORIZED', 'credentials'],
  ['PERMISSION_DENIED', 'access'],
  ['ENDPOINT_NOT_FOUND', 'address'],
  ['REQUEST_LIMIT_EXCEEDED', 'busy'],
  ['TEMPORARILY_UNAVAILABLE', 'server'],
])

const kindsByStatus: ReadonlyMap<number, RefusalKind> = new Map([
  [401, 'credentials'],
  [403, 'access'],
  [404, 'address'],
  [405, 'address'],
  [408, 'no answer'],
  [425, 'busy'],
  [429, 'busy'],
])

const words: Readonly<Record<RefusalKind, string>> = {
  unreachable: 'cannot be reached',
  'no answer': 'gave no answer',
  busy: 'was asked too often',
  server: 'is not able to answer at the moment',
  missing: 'does not have what it was asked about',
  exists: 'has one of that name already',
  credentials:
    'does not accept the credentials: check MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN',
  access: 'does not allow that: ask for the right to write to the experiment',
  address: 'has no MLflow at this address: check MLFLOW_TRACKING_URI (trackingUri in code)',
  refused: 'did not take it',
}

/** What is wrong with an answer; `undefined` where nothing is. */
export function refusalOf(
  status: number,
  {
    isPage,
    errorCode,
    retryAfterMs,
  }: { isPage: boolean; errorCode: string | undefined; retryAfterMs: number | undefined },
): MlflowRefusal | undefined {
  const isGood = status >= 200 && status < 300
  if (isGood && !isPage) return undefined
  const facts = [
    `HTTP ${status}`,
    ...(errorCode === undefined ? [] : [errorCode]),
    ...(isPage ? ['a web page'] : []),
  ]
  const kind =
    isGood || (status >= 300 && status < 400)
      ? 'address'
      : (kindsByCode.get(errorCode ?? '') ??
        kindsByStatus.get(status) ??
        (status >= 500 ? 'server' : 'refused'))
  return new MlflowRefusal(kind, `${words[kind]} (${facts.join(', ')})`, retryAfterMs)
}
