import { AccountRefusal } from '../codecarbon-api/account-refusal.ts'
import type { Accounts, Named, NewExperiment } from '../codecarbon-api/accounts.ts'
import { ConfigError } from '../core/errors.ts'
import type { Ask } from './ask.ts'
import { choose, findNamed, madeHere, nonEmpty } from './choose.ts'

/** What somebody wants to have an experiment of. */
export interface Wanted {
  /** Name or id. */
  readonly organization: string | undefined
  /** Name or id. */
  readonly project: string | undefined
  /** An experiment that is there. */
  readonly experimentId: string | undefined
  readonly experimentName: string | undefined
  /** Name of an experiment where nobody gives one. */
  readonly usualName: string
  /** Organisations and projects that are not there are made. */
  readonly mayMake: boolean
  /** Where experiments that are made take place. */
  readonly place: ExperimentPlace
}

/** Where an experiment takes place. */
export type ExperimentPlace = Pick<
  NewExperiment,
  'countryName' | 'countryIsoCode' | 'region' | 'cloudProvider' | 'cloudRegion'
>

/** Something whose name may be unknown. */
export interface Known {
  readonly id: string
  readonly name?: string
}

/** An experiment, and what it belongs to as far as that is known. */
export interface FoundExperiment {
  readonly organization: Known | undefined
  readonly project: Known
  readonly experiment: { readonly id: string; readonly name: string }
  /** Whether it was made now. */
  readonly isNew: boolean
}

/** What the search is done with. */
export interface FindParts {
  readonly accounts: Accounts
  /** `undefined` where nobody can be asked. */
  readonly ask: Ask | undefined
  /** Asks for everything, not only for what is missing. */
  readonly asksAll: boolean
  readonly nowMs: number
}

/** Whether a text is an id as the server gives them. */
export const isUuid = (text: string): boolean => uuid.test(text)

const uuid = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i

/**
 * The experiment that somebody wants. It is made where its project has none of that name, so that asking twice gives the same one.
 *
 * @throws ConfigError for what is missing or not there; AccountRefusal; BrokenOff
 */
export async function findExperiment(wanted: Wanted, parts: FindParts): Promise<FoundExperiment> {
  const { accounts } = parts
  if (wanted.experimentId !== undefined) {
    const experiment = await accounts.experiment(wanted.experimentId)
    const { organization, project } = await projectById(experiment.projectId, accounts)
    return { organization, project, experiment, isNew: false }
  }
  const { organization, project } = await findProject(wanted, parts)
  const experiments = await experimentsOf(project.id, accounts)
  const asked = parts.asksAll ? await askForExperiment(wanted, parts.ask, experiments) : undefined
  if (asked?.kind === 'there') return { organization, project, experiment: asked.experiment, isNew: false }
  const name = asked?.name ?? (await nameOf(wanted, parts.ask))
  const there = findNamed(experiments, name)
  if (there !== undefined && asked === undefined) {
    return { organization, project, experiment: there, isNew: false }
  }
  const experiment = await accounts.addExperiment({
    ...{ projectId: project.id, name, wallMs: parts.nowMs },
    ...(asked ?? { description: madeHere, ...wanted.place }),
  })
  return { organization, project, experiment, isNew: true }
}

async function findProject(
  { organization: wantedOrganization, project: wantedProject, mayMake }: Wanted,
  { accounts, ask, asksAll }: FindParts,
): Promise<Pick<FoundExperiment, 'organization' | 'project'>> {
  const isId = wantedProject !== undefined && isUuid(wantedProject)
  if (isId && (wantedOrganization === undefined || accounts.credentials === 'key')) {
    return projectById(wantedProject.toLowerCase(), accounts)
  }
  if (accounts.credentials === 'key') {
    throw new ConfigError(
      wantedProject === undefined
        ? '--project is missing: an API key does not tell which project it is for; or run: codecarbon login'
        : '--project: with an API key, expected the id of a project; names need a login: codecarbon login',
    )
  }
  const shared = { mayMake, ask, asksAlways: asksAll }
  const organization = await choose({
    ...shared,
    ...{ kind: 'organisation', flag: '--organization', wanted: wantedOrganization },
    all: await accounts.organizations(),
    defaultDescription: 'Default organization',
    make: (name, description) => accounts.addOrganization(name, description),
  })
  const project = await choose({
    ...shared,
    ...{ kind: 'project', flag: '--project', wanted: wantedProject },
    all: await accounts.projectsOf(organization.id),
    defaultDescription: 'Default project',
    make: (name, description) => accounts.addProject(organization.id, name, description),
  })
  return { organization, project }
}

/** What the server says about a project; a key may not see it. */
async function projectById(
  id: string,
  accounts: Accounts,
): Promise<Pick<FoundExperiment, 'organization' | 'project'>> {
  if (accounts.credentials === 'key') return { organization: undefined, project: { id } }
  const project = await accounts.project(id)
  return { organization: { id: project.organizationId }, project }
}

/** Those of a project; none where a key may not see them. */
async function experimentsOf(projectId: string, accounts: Accounts): Promise<readonly Named[]> {
  try {
    return await accounts.experimentsOf(projectId)
  } catch (error) {
    const isUnseen =
      error instanceof AccountRefusal && (error.kind === 'credentials' || error.kind === 'access')
    if (isUnseen && accounts.credentials === 'key') return []
    throw error
  }
}

async function nameOf({ experimentName, usualName }: Wanted, ask: Ask | undefined): Promise<string> {
  if (experimentName !== undefined) return experimentName
  if (ask === undefined) return usualName
  return (await ask.text('Name of the experiment', usualName, nonEmpty)).trim()
}

/** What somebody says about an experiment. */
type Answer =
  | { readonly kind: 'there'; readonly experiment: Named; readonly name?: undefined }
  | ({ readonly kind: 'new'; readonly name: string; readonly description: string } & ExperimentPlace)

async function askForExperiment(
  { experimentName, usualName, place }: Wanted,
  ask: Ask | undefined,
  all: readonly Named[],
): Promise<Answer | undefined> {
  if (ask === undefined) return undefined
  const choices = all.map((one) => ({ value: one as Named | undefined, label: one.name, hint: one.id }))
  const isNew = { value: undefined, label: 'a new experiment' }
  const experiment =
    all.length === 0 || experimentName !== undefined
      ? undefined
      : await ask.select('Which experiment?', [...choices, isNew], undefined)
  if (experiment !== undefined) return { kind: 'there', experiment }
  const name = (await ask.text('Name of the experiment', experimentName ?? usualName, nonEmpty)).trim()
  const description = await ask.text('Description', madeHere, nonEmpty)
  const isInCloud = await ask.confirm('Does it run in a cloud?', place.cloudProvider !== undefined)
  const textOf = async (question: string, initial: string | undefined): Promise<string | undefined> => {
    const text = (await ask.text(`${question} (empty: not known)`, initial ?? '')).trim()
    return text === '' ? undefined : text
  }
  const cloud = isInCloud
    ? {
        cloudProvider: (await ask.text('Provider', place.cloudProvider ?? 'aws', nonEmpty)).trim(),
        cloudRegion: (
          await ask.text('Region of the cloud', place.cloudRegion ?? 'eu-west-1', nonEmpty)
        ).trim(),
      }
    : {}
  return {
    ...{ kind: 'new', name, description, ...cloud },
    countryName: await textOf('Country', place.countryName),
    countryIsoCode: await textOf('Its ISO code of three letters', place.countryIsoCode),
    region: await textOf('Region of the country', place.region),
  }
}
