import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Accounts } from '../../codecarbon-api/accounts.ts'
import { readConfigFile } from '../../config/config-file.ts'
import { specOf } from '../../config/option-table.ts'
import { ConfigError } from '../../core/errors.ts'
import { printable, printOnStderr } from '../../log.ts'
import { LoginError } from '../../login/login-error.ts'
import { BrokenOff, type Ask } from '../../setup/ask.ts'
import { findExperiment, isUuid, type FoundExperiment, type Wanted } from '../../setup/find-experiment.ts'
import { writeSettings } from '../../setup/write-settings.ts'
import { optionsFrom, type Loaded } from '../options.ts'
import { canAsk, createPrompts } from './prompts.ts'
import { accountsByKey, accountsByLogin, converse, network } from './session.ts'

/** Flags of `codecarbon init`. */
export interface InitFlags {
  readonly organization?: string
  readonly project?: string
  readonly create?: true
  readonly file: string
  readonly json?: true
  readonly experimentId?: string
  readonly experimentName?: string
}

const fileName = '.codecarbon.config'

/** `codecarbon init`: asks for what is ambiguous, where somebody can be asked. */
export async function runInit(flags: InitFlags, loaded: Loaded): Promise<void> {
  await orBrokenOff(async () => {
    await initialize(flags, loaded, { ask: canAsk() ? await createPrompts() : undefined, asksAll: false })
  })
}

/** `codecarbon config --wizard`: asks for everything that `codecarbon init` takes by flags. */
export async function runWizard(flags: Record<string, unknown>, loaded: Loaded): Promise<void> {
  if (!canAsk()) {
    throw new ConfigError('--wizard asks questions, and there is no terminal; run codecarbon init with flags')
  }
  await orBrokenOff(async () => {
    const ask = await createPrompts()
    const home = join(homedir(), fileName)
    const file = await ask.select(
      'Which file?',
      [
        { value: home, label: `~/${fileName}`, hint: 'for all programs of this user' },
        { value: fileName, label: `./${fileName}`, hint: 'for programs that are started in this folder' },
      ],
      home,
    )
    const apiEndpoint = await ask.text('Address of the API', loaded.options.apiEndpoint, (text) =>
      URL.canParse(text.trim()) ? undefined : 'Expected an address that begins with https://.',
    )
    const given = optionsFrom({ ...flags, apiEndpoint: apiEndpoint.trim() })
    await initialize({ file }, given, { ask, asksAll: true })
  })
}

async function orBrokenOff(action: () => Promise<void>): Promise<void> {
  try {
    await action()
  } catch (error) {
    if (!(error instanceof BrokenOff)) throw error
    printOnStderr(`codecarbon: ${error.message}\n`)
    // As for a program that Ctrl-C has ended.
    process.exitCode = 130
  }
}

async function initialize(
  flags: InitFlags,
  loaded: Loaded,
  { ask, asksAll }: { ask: Ask | undefined; asksAll: boolean },
): Promise<void> {
  const { options, origins } = loaded
  const { apiEndpoint: endpoint } = options
  // A file that cannot be changed is known before anything is made.
  const file = readConfigFile(flags.file)
  const key = givenKey(loaded)
  const { found, newKey } = await converse(async () => {
    const accounts = await accountsFor(endpoint, key)
    if (accounts.credentials === 'key' && flags.experimentId !== undefined) {
      return { found: unasked(flags), newKey: undefined }
    }
    const wanted = toWanted(flags, loaded, asksAll)
    const experiment = await findExperiment(wanted, {
      ...{ accounts, ask, asksAll },
      nowMs: network.clock.now().wallMs,
    })
    const isKept =
      key !== undefined && (origins.apiKey.kind === 'command line' || isKeyOf(experiment, loaded))
    return {
      found: experiment,
      newKey:
        isKept || accounts.credentials === 'key'
          ? undefined
          : await accounts.addKey(experiment.project.id, 'codecarbon init'),
    }
  }, endpoint)
  const written = newKey?.reveal() ?? (origins.apiKey.kind === 'command line' ? key : undefined)
  const inFile = file?.entries.findLast((entry) => entry.key === 'api_endpoint')?.value
  await writeSettings(flags.file, {
    ...((inFile ?? specOf('apiEndpoint').default) === endpoint ? {} : { api_endpoint: endpoint }),
    ...(found.organization === undefined ? {} : { organization_id: found.organization.id }),
    ...(found.project.id === '' ? {} : { project_id: found.project.id }),
    experiment_id: found.experiment.id,
    ...(written === undefined ? {} : { api_key: written }),
  })
  tell(flags, found, written !== undefined)
  const { kind, where = '' } = origins.experimentId
  if (kind === 'environment') {
    printOnStderr(`codecarbon: ${where} is set, and counts in place of the experiment that was written\n`)
  }
}

/** A key that somebody gave. That of CodeCarbon for Python's defaults is none. */
function givenKey({ options: { apiKey } }: Loaded): string | undefined {
  return apiKey === undefined || apiKey.trim() === '' || apiKey === 'api_key' ? undefined : apiKey
}

/** Whether a key that is there already is that of the experiment's project, as far as files and variables say. */
const isKeyOf = ({ project }: FoundExperiment, { options, origins }: Loaded): boolean =>
  options.projectId?.toLowerCase() === project.id.toLowerCase() || origins.apiKey.kind === 'environment'

/** By the login where there is one, since the API lets a key make no experiments. */
async function accountsFor(endpoint: string, key: string | undefined): Promise<Accounts> {
  try {
    return await accountsByLogin(endpoint)
  } catch (error) {
    if (!(error instanceof LoginError)) throw error
    if (key !== undefined) return accountsByKey(endpoint, key)
    throw new LoginError(`${error.message}; or give --api-key`)
  }
}

/** What a key alone is written with: nothing of it can be asked for. */
const unasked = ({ experimentId = '', project = '' }: InitFlags): FoundExperiment => ({
  ...{ organization: undefined, isNew: false },
  project: { id: project },
  experiment: { id: experimentId, name: '' },
})

function toWanted(flags: InitFlags, { options, origins }: Loaded, asksAll: boolean): Wanted {
  const { countryIsoCode, region, cloudProvider, cloudRegion } = options
  const isNamed = origins.experimentName.kind !== 'default'
  // What a file says is for those who ask for nothing else.
  const usual: Partial<typeof options> = asksAll || flags.organization !== undefined ? {} : options
  const project = flags.project ?? usual.projectId
  const isWhole = project !== undefined && isUuid(project)
  return {
    organization: flags.organization ?? (isWhole ? undefined : usual.organizationId),
    project,
    experimentId: flags.experimentId,
    experimentName: isNamed && !asksAll ? options.experimentName : undefined,
    usualName: options.experimentName,
    mayMake: flags.create === true,
    place: { countryIsoCode, region, cloudProvider, cloudRegion },
  }
}

function tell({ file, json }: InitFlags, found: FoundExperiment, hasNewKey: boolean): void {
  const { organization, project, experiment, isNew } = found
  if (json === true) {
    const facts = {
      ...{ file, organization_id: organization?.id ?? null, project_id: project.id || null },
      ...{ experiment_id: experiment.id, experiment_name: experiment.name || null },
      ...{ is_new: isNew, wrote_key: hasNewKey },
    }
    process.stdout.write(`${JSON.stringify(facts, undefined, 2)}\n`)
    return
  }
  const named = ({ id, name = '' }: { id: string; name?: string }): string =>
    printable(name === '' ? id : `${name} (${id})`)
  const lines = [
    ...(organization === undefined ? [] : [`organisation: ${named(organization)}`]),
    ...(project.id === '' ? [] : [`project: ${named(project)}`]),
    `experiment: ${named(experiment)}${isNew ? ', new' : ''}`,
    `written to ${printable(file)}${hasNewKey ? ', with a key: keep it out of version control' : ''}`,
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
}
