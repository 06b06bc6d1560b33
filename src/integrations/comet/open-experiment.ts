import type { Clock } from '../../core/clock.ts'
import type { Answer, JsonApi } from '../../http/json-api.ts'
import { pause } from '../../http/pause.ts'
import { CometRefusal } from './comet-refusal.ts'
import type { CometSettings } from './load-settings.ts'

/** An experiment that the server has. */
export interface OpenedExperiment {
  readonly key: string
  /** Its page. */
  readonly url: string
  /** It was there before. */
  readonly isResumed: boolean
  /** What the user should know. */
  readonly notice?: string
  /** The name that it is to be given, where that is another one than it was made with. */
  readonly rename?: string
}

/** What it is opened with. */
export interface OpenParts {
  readonly api: JsonApi
  readonly settings: CometSettings
  readonly clock: Clock
  readonly random: () => number
  readonly signal: AbortSignal
  /** The name that a new one is made under, which no other has. */
  readonly ownName: string
  /** One may have been made under that name before, which is then gone on with. */
  readonly mayBeMade?: boolean
}

const firstPauseMs = 250

/**
 * Makes an experiment, or finds one to go on with.
 *
 * The server makes a new experiment for each request to create one, also for one whose answer was lost. So an experiment is made under a name that nobody else
 * has, by which one that was made unnoticed is found again, and is given its own name afterwards.
 *
 * @throws CometRefusal
 */
export async function openExperiment(parts: OpenParts): Promise<OpenedExperiment> {
  const { settings } = parts
  const attempt = createAttempts(parts)
  const { experimentKey, mode } = settings
  if (mode === 'create' || experimentKey === undefined) {
    if (mode === 'get') {
      throw new CometRefusal(
        'experiment',
        'is asked for an experiment without a key: give COMET_EXPERIMENT_KEY (experimentKey in code)',
      )
    }
    return create(parts, attempt)
  }
  try {
    return await get(experimentKey, parts, attempt)
  } catch (error) {
    const isMissing =
      error instanceof CometRefusal && ['experiment', 'address', 'refused'].includes(error.kind)
    if (mode === 'get' || !isMissing) throw error
  }
  const created = await create(parts, attempt)
  const notice = `there is no experiment ${experimentKey}, and Comet chooses the keys of new ones itself: this is ${created.key}`
  return { ...created, notice }
}

/** Asks until there is an answer, it cannot come, or time is up. Of one whose request may have been carried out it asks `onUncertain` first. */
type Attempt = <T>(
  ask: (timeoutMs: number) => Promise<T>,
  onUncertain?: () => Promise<T | undefined>,
) => Promise<T>

function createAttempts({ settings, clock, random, signal }: OpenParts): Attempt {
  const endMs = clock.now().monotonic * 1000 + settings.startMs
  const leftMs = (): number => endMs - clock.now().monotonic * 1000
  // Time is left for a second look.
  const timeoutMs = (): number => Math.max(1, Math.min(settings.requestMs, settings.startMs / 2, leftMs()))
  return async (ask, onUncertain) => {
    for (let tries = 1; ; tries += 1) {
      try {
        return await ask(timeoutMs())
      } catch (error) {
        if (!(error instanceof CometRefusal) || !error.mayPass) throw error
        let last = error
        if (error.isUncertain && onUncertain !== undefined) {
          try {
            const found = await onUncertain()
            if (found !== undefined) return found
          } catch (second) {
            if (!(second instanceof CometRefusal)) throw second
            last = second
          }
        }
        const pauseMs = Math.max(last.retryAfterMs ?? 0, random() * firstPauseMs * 2 ** tries)
        if (tries >= settings.connectTries || pauseMs >= leftMs()) throw last
        await pause(pauseMs, clock, signal)
      }
    }
  }
}

async function create(parts: OpenParts, attempt: Attempt): Promise<OpenedExperiment> {
  const { api, settings, signal, ownName } = parts
  const { projectName, experimentName } = settings
  const workspaceName = settings.workspace ?? (await defaultWorkspace(parts, attempt))
  const find = async (): Promise<Answer | undefined> => {
    const call = { path: 'experiments', query: { workspaceName, projectName } }
    const { experiments } = await attempt((timeoutMs) => api.call(call, timeoutMs, signal))
    return listOf(experiments).find((one) => one['experimentName'] === ownName)
  }
  const make = (timeoutMs: number): Promise<Answer> =>
    api.call(
      { path: 'write/experiment/create', body: { workspaceName, projectName, experimentName: ownName } },
      timeoutMs,
      signal,
    )
  const before = parts.mayBeMade === true ? await find() : undefined
  const answer = before ?? (await attempt(make, find))
  const key = textIn(answer, 'experimentKey')
  if (key === undefined) throw new CometRefusal('refused', 'made an experiment without telling its key')
  return {
    key,
    url: textIn(answer, 'link') ?? pageOf(settings.url, answer, key),
    isResumed: false,
    ...(experimentName === undefined ? {} : { rename: experimentName }),
  }
}

async function defaultWorkspace({ api, signal }: OpenParts, attempt: Attempt): Promise<string> {
  const answer = await attempt((timeoutMs) => api.call({ path: 'account-details' }, timeoutMs, signal))
  const name = textIn(answer, 'defaultWorkspaceName')
  if (name === undefined) {
    throw new CometRefusal(
      'workspace',
      'names no default workspace: give COMET_WORKSPACE (workspace in code)',
    )
  }
  return name
}

async function get(
  experimentKey: string,
  { api, settings, signal }: OpenParts,
  attempt: Attempt,
): Promise<OpenedExperiment> {
  const call = { path: 'experiment/metadata', query: { experimentKey } }
  const answer = await attempt((timeoutMs) => api.call(call, timeoutMs, signal))
  const isArchived = answer['archived'] === true
  return {
    key: experimentKey,
    url: pageOf(settings.url, answer, experimentKey),
    isResumed: true,
    ...(isArchived
      ? { notice: 'this experiment is archived: restore it at comet.com to see what is added to it' }
      : {}),
  }
}

function pageOf(url: string, answer: Answer, key: string): string {
  const parts = [textIn(answer, 'workspaceName'), textIn(answer, 'projectName'), key]
  return [url, ...parts.map((part) => encodeURIComponent(part ?? ''))].join('/')
}

const textIn = (answer: Answer, name: string): string | undefined => {
  const value = answer[name]
  return typeof value === 'string' && value !== '' ? value : undefined
}

const listOf = (value: unknown): Answer[] => (Array.isArray(value) ? (value as Answer[]) : [])
