/**
 * Why something did not come to Comet.
 *
 * - `unreachable`: it was never sent; `no answer`: it may have been carried out; `busy` and `server`: try again later
 * - `key`, `workspace`, `project`, `experiment`, `access`, `payment`, `space`, `address`: a person has to change something
 * - `refused`: this one thing was not taken
 */
export type RefusalKind =
  | 'unreachable'
  | 'no answer'
  | 'busy'
  | 'server'
  | 'key'
  | 'workspace'
  | 'project'
  | 'experiment'
  | 'access'
  | 'payment'
  | 'space'
  | 'address'
  | 'refused'

const passing: ReadonlySet<RefusalKind> = new Set(['unreachable', 'no answer', 'busy', 'server'])

/** A request that brought nothing. The message goes on after the server's name, and holds no text of the server and no key. */
export class CometRefusal extends Error {
  readonly kind: RefusalKind
  readonly retryAfterMs: number | undefined

  constructor(kind: RefusalKind, message: string, retryAfterMs?: number) {
    super(message)
    this.name = 'CometRefusal'
    this.kind = kind
    this.retryAfterMs = retryAfterMs
  }

  /** The same may be taken a little later. */
  get mayPass(): boolean {
    return passing.has(this.kind)
  }

  /** It may have been carried out all the same. */
  get isUncertain(): boolean {
    return this.kind === 'no answer' || this.kind === 'server'
  }
}

/** Codes of Comet's SDKs (`sdk_error_code`), as its Java client names them. */
const kindsByCode: ReadonlyMap<number, RefusalKind> = new Map([
  [90212, 'key'],
  [90219, 'workspace'],
  [98219, 'project'],
  [90210, 'access'],
  [90211, 'experiment'],
  [90998, 'experiment'],
  [90501, 'space'],
])

const kindsByStatus: ReadonlyMap<number, RefusalKind> = new Map([
  [401, 'key'],
  [402, 'payment'],
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
  key: 'does not know this API key: check COMET_API_KEY (apiKey in code; keys are made at comet.com, Settings, API keys)',
  workspace: 'does not know this workspace: check COMET_WORKSPACE (workspace in code)',
  project: 'misses the name of the project: give COMET_PROJECT_NAME (projectName in code)',
  experiment: 'does not know this experiment: check COMET_EXPERIMENT_KEY (experimentKey in code)',
  access:
    'does not let this API key write there: check COMET_WORKSPACE and COMET_PROJECT_NAME, or ask for the right to',
  payment: 'wants this workspace to pay first: see comet.com, Settings, Billing',
  space: 'has no more room in this workspace: remove what is not needed, or see comet.com, Settings, Billing',
  address: 'has no Comet at this address: check COMET_URL_OVERRIDE (url in code)',
  refused: 'did not take it',
}

/** What is wrong with an answer; `undefined` where nothing is. */
export function refusalOf(
  status: number,
  { isPage, sdkCode, retryAfterMs }: AnswerFacts,
): CometRefusal | undefined {
  const byCode = sdkCode === undefined ? undefined : kindsByCode.get(sdkCode)
  const isGood = status >= 200 && status < 300
  if (isGood && !isPage && (sdkCode === undefined || sdkCode === 0)) return undefined
  const kind =
    byCode ?? (isGood || (status >= 300 && status < 400) ? wrongPlace(isPage, status) : kindOf(status))
  const facts = [`HTTP ${status}`, ...(sdkCode === undefined || sdkCode === 0 ? [] : [`code ${sdkCode}`])]
  return new CometRefusal(
    kind,
    `${words[kind]} (${[...facts, ...(isPage ? ['a web page'] : [])].join(', ')})`,
    retryAfterMs,
  )
}

/** What an answer says besides its status. */
export interface AnswerFacts {
  readonly isPage: boolean
  readonly sdkCode: number | undefined
  readonly retryAfterMs: number | undefined
}

const wrongPlace = (isPage: boolean, status: number): RefusalKind =>
  isPage || status >= 300 ? 'address' : 'refused'
const kindOf = (status: number): RefusalKind =>
  kindsByStatus.get(status) ?? (status >= 500 ? 'server' : 'refused')
