import type { Clock } from '../core/clock.ts'
import type { Fetch } from '../http/http-request.ts'
import { createJsonApi, fieldsOf, type Answer } from '../http/json-api.ts'
import { Secret } from '../http/secret.ts'
import { AccountRefusal, accountRules, type Credentials } from './account-refusal.ts'

/** An organisation, a project or an experiment. */
export interface Named {
  /** A UUID. */
  readonly id: string
  readonly name: string
  readonly description: string
}

/** An experiment that is to be made. Missing places are unknown. */
export interface NewExperiment {
  readonly projectId: string
  readonly name: string
  readonly description: string
  /** In milliseconds since 1970. */
  readonly wallMs: number
  readonly countryName?: string | undefined
  readonly countryIsoCode?: string | undefined
  readonly region?: string | undefined
  /** Given where it runs in a cloud. */
  readonly cloudProvider?: string | undefined
  readonly cloudRegion?: string | undefined
}

/** Organisations, projects, experiments and keys of the CodeCarbon API. Each call rejects with an AccountRefusal. */
export interface Accounts {
  /** Name of the server, for messages. */
  readonly server: string
  readonly credentials: Credentials
  /** Makes the user's account, where this is the first time. */
  checkLogin(): Promise<void>
  organizations(): Promise<readonly Named[]>
  addOrganization(name: string, description: string): Promise<Named>
  projectsOf(organizationId: string): Promise<readonly Named[]>
  /** A project, and the id of its organisation. */
  project(id: string): Promise<Named & { readonly organizationId: string }>
  addProject(organizationId: string, name: string, description: string): Promise<Named>
  experimentsOf(projectId: string): Promise<readonly Named[]>
  /** An experiment, and the id of its project. */
  experiment(id: string): Promise<Named & { readonly projectId: string }>
  addExperiment(experiment: NewExperiment): Promise<Named>
  /** A new key that may write to a project. */
  addKey(projectId: string, name: string): Promise<Secret>
}

/** What the API is asked with. */
export interface AccountsParts {
  /** Base address. */
  readonly endpoint: string
  readonly credentials: { readonly kind: Credentials; readonly secret: Secret }
  readonly fetch: Fetch
  readonly clock: Clock
}

/** For one request, in milliseconds: a person is waiting. */
const timeoutMs = 20_000

/** Speaks with the CodeCarbon API, with an access token as CodeCarbon for Python does, or with a key as `x-api-token`. */
export function createAccounts({ endpoint, credentials, fetch, clock }: AccountsParts): Accounts {
  const { kind, secret } = credentials
  const rules = accountRules(kind)
  const api = createJsonApi({
    ...{ name: 'the CodeCarbon API', url: endpoint.trim().replace(/\/+$/, ''), basePath: '/', fetch, clock },
    headers:
      kind === 'login' ? { authorization: `Bearer ${secret.reveal()}` } : { 'x-api-token': secret.reveal() },
    rules,
  })
  const unexpected = (): AccountRefusal => new AccountRefusal('unexpected', rules.words.unexpected)
  const ask = (path: string, body?: Answer): Promise<Answer> =>
    api.call(body === undefined ? { path } : { path, body }, timeoutMs)

  async function list(path: string): Promise<readonly Named[]> {
    const answer: unknown = await ask(path)
    if (!Array.isArray(answer)) throw unexpected()
    return answer.map(toNamed)
  }

  function toNamed(entry: unknown): Named {
    const { id, name, description } = fieldsOf(entry)
    if (typeof id !== 'string' || typeof name !== 'string') throw unexpected()
    return { id, name, description: typeof description === 'string' ? description : '' }
  }

  return {
    server: api.server,
    credentials: kind,
    async checkLogin() {
      // Nobody is an answer, too.
      const { user } = await ask('auth/check')
      if (typeof user === 'object' && user !== null) return
      throw new AccountRefusal('credentials', rules.words.credentials)
    },
    organizations: () => list('organizations'),
    addOrganization: async (name, description) => toNamed(await ask('organizations', { name, description })),
    projectsOf: (organizationId) => list(`organizations/${encodeURIComponent(organizationId)}/projects`),
    addProject: async (organizationId, name, description) =>
      toNamed(await ask('projects', { name, description, organization_id: organizationId })),
    experimentsOf: (projectId) => list(`projects/${encodeURIComponent(projectId)}/experiments`),
    async project(id) {
      const answer = await ask(`projects/${encodeURIComponent(id)}`)
      const { organization_id: organizationId } = answer
      if (typeof organizationId !== 'string') throw unexpected()
      return { ...toNamed(answer), organizationId }
    },
    async experiment(id) {
      const answer = await ask(`experiments/${encodeURIComponent(id)}`)
      const { project_id: projectId } = answer
      if (typeof projectId !== 'string') throw unexpected()
      return { ...toNamed(answer), projectId }
    },
    addExperiment: async (experiment) => toNamed(await ask('experiments', toBody(experiment))),
    async addKey(projectId, name) {
      const { token } = await ask(`projects/${encodeURIComponent(projectId)}/api-tokens`, { name })
      if (typeof token !== 'string' || !/^[\x21-\x7E]{1,1000}$/.test(token)) throw unexpected()
      return new Secret(token)
    },
  }
}

const toBody = (experiment: NewExperiment): Answer => ({
  timestamp: new Date(experiment.wallMs).toISOString(),
  name: experiment.name,
  description: experiment.description,
  on_cloud: experiment.cloudProvider !== undefined,
  project_id: experiment.projectId,
  country_name: experiment.countryName ?? null,
  country_iso_code: experiment.countryIsoCode ?? null,
  region: experiment.region ?? null,
  cloud_provider: experiment.cloudProvider ?? null,
  cloud_region: experiment.cloudRegion ?? null,
})
