import type { RefusalRules } from '../../http/json-api.ts'
import { kindOfHead, Refusal, usualWords } from '../../http/refusal.ts'

/** Why something did not come to Comet, besides the usual: a person has to change something. */
type CometKind = 'key' | 'workspace' | 'project' | 'experiment' | 'payment' | 'space'

/** A request that Comet did not carry out. */
export class CometRefusal extends Refusal<CometKind> {
  override readonly name = 'CometRefusal'
}

/** Codes of Comet's SDKs (`sdk_error_code`), as its Java client names them. */
const kindsByCode: ReadonlyMap<unknown, CometKind | 'access'> = new Map([
  [90212, 'key'],
  [90219, 'workspace'],
  [98219, 'project'],
  [90210, 'access'],
  [90211, 'experiment'],
  [90998, 'experiment'],
  [90501, 'space'],
])

const kindsByStatus: ReadonlyMap<number, CometKind> = new Map([
  [401, 'key'],
  [402, 'payment'],
])

/** A code counts whatever the status is. */
export const refusalRules: RefusalRules<CometKind> = {
  // Comet's clients for Java and Python know it by either name.
  codeIn(fields) {
    const code = fields['sdk_error_code'] ?? fields['sdkErrorCode']
    return typeof code === 'number' && code !== 0 ? code : undefined
  },
  kindOf: (head, code) =>
    kindsByCode.get(code) ??
    kindsByStatus.get(head.status) ??
    kindOfHead(head) ??
    (code === undefined ? undefined : 'refused'),
  words: {
    ...usualWords,
    key: 'does not know this API key: check COMET_API_KEY (apiKey in code; keys are made at comet.com, Settings, API keys)',
    workspace: 'does not know this workspace: check COMET_WORKSPACE (workspace in code)',
    project: 'misses the name of the project: give COMET_PROJECT_NAME (projectName in code)',
    experiment: 'does not know this experiment: check COMET_EXPERIMENT_KEY (experimentKey in code)',
    access:
      'does not let this API key write there: check COMET_WORKSPACE and COMET_PROJECT_NAME, or ask for the right to',
    payment: 'wants this workspace to pay first: see comet.com, Settings, Billing',
    space:
      'has no more room in this workspace: remove what is not needed, or see comet.com, Settings, Billing',
    address: 'has no Comet at this address: check COMET_URL_OVERRIDE (url in code)',
  },
  Refusal: CometRefusal,
}
