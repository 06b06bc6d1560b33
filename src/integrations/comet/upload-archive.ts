import type { Clock } from '../../core/clock.ts'
import { EnergyError, messageOf } from '../../core/errors.ts'
import { writeWholeFile } from '../../files/whole-file.ts'
import type { Fetch } from '../../http/http-request.ts'
import type { JsonApi } from '../../http/json-api.ts'
import type { ArchivedMessage } from './archive-lines.ts'
import { createCometApi } from './comet-api.ts'
import { CometRefusal } from './comet-refusal.ts'
import type { CometSettings } from './load-settings.ts'
import { isThere } from './is-there.ts'
import type { CometMessage } from './message.ts'
import { openExperiment } from './open-experiment.ts'
import type { ArchivedExperiment } from './read-archive.ts'
import { toCall } from './to-call.ts'
import { createTokenBucket } from './token-bucket.ts'
import { readUpload, type UploadState } from './upload-state.ts'

/** What an upload is made with. */
export interface UploadParts {
  /** The archive's own, beside which is noted how far its upload has come. */
  readonly path: string
  readonly archive: ArchivedExperiment
  readonly settings: CometSettings
  readonly fetch: Fetch
  readonly clock: Clock
  /** From 0 to 1. @default Math.random */
  readonly random?: () => number
  /** What was not sent, and why. */
  readonly warn: (message: string) => void
}

/** What came of an upload. */
export interface Uploaded {
  readonly key: string
  readonly url: string
  /** Things that were sent now. */
  readonly sent: number
  /** It had been uploaded before, so that nothing was done. */
  readonly wasComplete: boolean
}

const mostAttempts = 6
const firstPauseMs = 500
/** Half of what Comet allows of anything by minute; its limit of the least. */
const perMinute = 4000
/** Progress is noted after so many; what comes after it is looked for before it is sent again. */
const notedEvery = 20

/**
 * Sends an archive to Comet, one thing after the other. How far it has come is noted beside the archive, so that an upload which was broken off goes
 * on where it was, and one that is done is not repeated. Of what may have come before nothing is sent twice: the server is asked whether it has it.
 *
 * @throws EnergyError ERR_EXPORT_FAILED where the server does not take it; run again, it goes on
 */
export async function uploadArchive(parts: UploadParts): Promise<Uploaded> {
  const { path, archive, clock, warn } = parts
  const settings = settingsFor(parts)
  const api = createCometApi({ ...parts, settings })
  const steps = stepsOf(archive, warn)
  const statePath = `${path.replace(/[\\/]+$/, '')}.upload.json`
  let state = readUpload(statePath, archive.id)
  if (state?.isComplete === true) return { ...state, sent: 0, wasComplete: true }
  const isResumed = state !== undefined
  try {
    state ??= await open(api, settings, parts)
    writeUpload(statePath, archive.id, state)
    const first = state.sent
    const bucket = createTokenBucket(perMinute, clock)
    for (const [index, step] of steps.entries()) {
      if (index < first) continue
      while (!bucket.take(1)) await pause(bucket.waitMs(1), clock)
      const mayBeThere = step.isUncertain || (isResumed && index < first + notedEvery)
      await send(step.message, { api, settings, experimentKey: state.key, parts, mayBeThere })
      state = { ...state, sent: index + 1 }
      if (state.sent % notedEvery === 0) writeUpload(statePath, archive.id, state)
    }
    state = { ...state, isComplete: true }
    writeUpload(statePath, archive.id, state)
    return { ...state, sent: steps.length - first, wasComplete: false }
  } catch (error) {
    if (state !== undefined) noteIfPossible(statePath, archive.id, state)
    const what = error instanceof CometRefusal ? `${api.server} ${error.message}` : messageOf(error)
    const left = `${state?.sent ?? 0} of ${steps.length} things were sent; run it again to go on`
    throw new EnergyError('ERR_EXPORT_FAILED', `${path}: ${what}; ${left}`, { cause: error })
  }
}

/** Where an archive belongs: what it says itself, else what the user's settings say. */
function settingsFor({ archive, settings }: UploadParts): CometSettings {
  return {
    ...settings,
    workspace: archive.workspace ?? settings.workspace,
    projectName: archive.projectName ?? settings.projectName,
    experimentName: archive.experimentName,
    experimentKey: archive.experimentKey,
    mode: archive.experimentKey === undefined ? 'create' : 'get_or_create',
  }
}

async function open(api: JsonApi, settings: CometSettings, parts: UploadParts): Promise<UploadState> {
  const { archive, clock, random = Math.random } = parts
  const { signal } = new AbortController()
  // By this name one is found again that was made before progress could be noted.
  const ownName = archive.ownName ?? `${archive.experimentName ?? 'run'}-${archive.id.slice(0, 12)}`
  const { key, url, notice } = await openExperiment({
    api,
    settings,
    clock,
    random,
    signal,
    ownName,
    mayBeMade: true,
  })
  if (notice !== undefined) parts.warn(notice)
  return { key, url, sent: 0, isComplete: false }
}

function writeUpload(path: string, id: string, state: UploadState): void {
  writeWholeFile(path, `${JSON.stringify({ schema: 1, offline_id: id, ...state }, undefined, 2)}\n`)
}

/** What went wrong before is what the user has to know. */
function noteIfPossible(path: string, id: string, state: UploadState): void {
  try {
    writeUpload(path, id, state)
  } catch {
    // The next upload looks for what may have come.
  }
}

interface Step {
  readonly message: CometMessage
  readonly isUncertain: boolean
}

/** All that is to be sent, always in the same order. */
function stepsOf(archive: ArchivedExperiment, warn: (message: string) => void): Step[] {
  const { experimentName, experimentKey, tags, startMs, stopMs, error } = archive
  const isNew = experimentKey === undefined
  const step = (message: CometMessage): Step => ({ message, isUncertain: false })
  const times = {
    ...(startMs === undefined || !isNew ? {} : { startMs }),
    ...(stopMs === undefined ? {} : { endMs: stopMs }),
  }
  return [
    ...(tags.length === 0 ? [] : [step({ type: 'tags', tags })]),
    ...archive.entries.flatMap(({ message, isUncertain }) => {
      const told = withFile(message, archive)
      if (told === undefined)
        warn(
          `an asset is left out: the archive has no file ${(message as { filePath?: string }).filePath ?? ''}`,
        )
      return told === undefined ? [] : [{ message: told, isUncertain }]
    }),
    ...(Object.keys(times).length === 0 ? [] : [step({ type: 'times', ...times })]),
    ...(error === undefined ? [] : [step({ type: 'status', isAlive: false, error })]),
    // By its first name an experiment is found again, so it keeps that to the end.
    ...(experimentName === undefined || !isNew
      ? []
      : [step({ type: 'other', name: 'Name', value: experimentName, atMs: stopMs ?? Date.now() })]),
  ]
}

function withFile(message: ArchivedMessage, archive: ArchivedExperiment): CometMessage | undefined {
  if (message.type !== 'asset') return message
  const { filePath, ...asset } = message
  const bytes = archive.file(filePath)
  return bytes === undefined ? undefined : { ...asset, content: { bytes } }
}

interface Sending {
  readonly api: JsonApi
  readonly settings: CometSettings
  readonly experimentKey: string
  readonly parts: UploadParts
  readonly mayBeThere: boolean
}

async function send(message: CometMessage, sending: Sending): Promise<void> {
  const { api, settings, experimentKey, parts } = sending
  const { clock, random = Math.random, warn } = parts
  const timeoutMs = message.type === 'asset' ? settings.uploadMs : settings.requestMs
  let mayBeThere = sending.mayBeThere
  for (let attempts = 1; ; attempts += 1) {
    try {
      if (mayBeThere && (await isThere(message, { api, experimentKey, timeoutMs: settings.requestMs })))
        return
      await api.call(await toCall(message, experimentKey), timeoutMs)
      return
    } catch (error) {
      if (!(error instanceof CometRefusal)) throw error
      if (error.kind === 'refused') {
        warn(`${api.server} ${error.message}: a ${message.type} is left out`)
        return
      }
      if (!error.mayPass || attempts >= mostAttempts) throw error
      mayBeThere ||= error.isUncertain
      await pause(Math.max(error.retryAfterMs ?? 0, random() * firstPauseMs * 2 ** attempts), clock)
    }
  }
}

const pause = (ms: number, clock: Clock): Promise<void> =>
  new Promise((resolve) => {
    clock.after(ms, resolve)
  })
