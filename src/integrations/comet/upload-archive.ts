import type { Clock } from '../../core/clock.ts'
import { EnergyError, messageOf } from '../../core/errors.ts'
import type { Fetch } from '../../http/http-request.ts'
import type { JsonApi } from '../../http/json-api.ts'
import { pause } from '../../http/pause.ts'
import type { ArchivedMessage } from './archive-lines.ts'
import { createCometApi } from './comet-api.ts'
import { CometRefusal } from './comet-refusal.ts'
import type { CometSettings } from './load-settings.ts'
import { isThere } from './is-there.ts'
import { nameOf, type CometMessage } from './message.ts'
import { openExperiment } from './open-experiment.ts'
import type { ArchivedExperiment } from './read-archive.ts'
import { toCall } from './to-call.ts'
import { createTokenBucket } from './token-bucket.ts'
import { openUpload, type UploadNotes, type UploadState } from './upload-state.ts'

/** What an upload is made with. */
export interface UploadParts {
  /** For messages. */
  readonly path: string
  readonly archive: ArchivedExperiment
  readonly settings: CometSettings
  readonly fetch: Fetch
  readonly clock: Clock
  /** From 0 to 1. @default Math.random */
  readonly random?: () => number
  /** What was not sent, and why. */
  readonly warn: (message: string) => void
  /** Where it is noted how far uploads have come. @default in the user's state directory */
  readonly notesFolder?: string
}

/** What came of an upload. */
export interface Uploaded {
  readonly key: string
  readonly url: string
  /** Things that were sent now. */
  readonly sent: number
  /** Things that were not taken, or whose file is missing. */
  readonly leftOut: number
  /** It had been uploaded before, so that nothing was done. */
  readonly wasComplete: boolean
}

const mostAttempts = 6
const firstPauseMs = 500
/** Half of what Comet allows of anything by minute; its limit of the least. */
const perMinute = 4000
/** Progress is noted after so many; what comes after it is looked for before it is sent again. */
const notedEvery = 20
/** A server that asks to be left alone for longer is not waited for. */
const longestWaitMs = 60_000

/**
 * Sends an archive to Comet, one thing after the other. How far it has come is noted in the user's state directory, so that an upload which was broken
 * off goes on where it was, and one that is done is not repeated. Of what may have come before nothing is sent twice: the server is asked whether it has it.
 *
 * @throws EnergyError ERR_EXPORT_FAILED where the server does not take it; run again, it goes on. ERR_FILE_UNREADABLE where another process uploads it
 */
export async function uploadArchive(parts: UploadParts): Promise<Uploaded> {
  const { path, archive, notesFolder } = parts
  let notes: UploadNotes
  try {
    notes = openUpload(archive.id, notesFolder)
  } catch (error) {
    if (!(error instanceof EnergyError)) throw error
    throw new EnergyError(error.code, `${path}: ${error.message}`, { cause: error })
  }
  try {
    return await sendArchive(parts, notes)
  } finally {
    notes.release()
  }
}

async function sendArchive(parts: UploadParts, notes: UploadNotes): Promise<Uploaded> {
  const { path, archive, clock } = parts
  const { state: before } = notes
  const body = bodyOf(archive)
  const tail = tailOf(archive)
  if (before?.isComplete === true && before.sent >= body.length)
    return { ...before, sent: 0, leftOut: 0, wasComplete: true }
  const settings = settingsFor(parts)
  const api = createCometApi({ ...parts, settings })
  let state = before
  let leftOut = 0
  try {
    state ??= await open(api, settings, parts)
    notes.note(state)
    const first = state.sent
    const steps = [...body.slice(first), ...tail]
    const bucket = createTokenBucket(perMinute, clock)
    for (const [index, step] of steps.entries()) {
      while (!bucket.take(1)) await pause(bucket.waitMs(1), clock, signal)
      const mayBeThere = step.isUncertain || (before !== undefined && index < notedEvery)
      const isSent = await sendStep(step, { api, settings, experimentKey: state.key, parts, mayBeThere })
      if (!isSent) leftOut += 1
      if (first + index >= body.length) continue
      state = { ...state, sent: first + index + 1 }
      if (state.sent % notedEvery === 0) notes.note(state)
    }
    state = { ...state, isComplete: true }
    notes.note(state)
    return { ...state, sent: steps.length - leftOut, leftOut, wasComplete: false }
  } catch (error) {
    if (state !== undefined) noteIfPossible(notes, state)
    const what = error instanceof CometRefusal ? `${api.server} ${error.message}` : messageOf(error)
    const left = `${state?.sent ?? 0} of ${body.length} things were sent; run it again to go on`
    throw new EnergyError('ERR_EXPORT_FAILED', `${path}: ${what}; ${left}`, { cause: error })
  }
}

/** An upload ends with its process. */
const { signal } = new AbortController()

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

/** What went wrong before is what the user has to know. */
function noteIfPossible(notes: UploadNotes, state: UploadState): void {
  try {
    notes.note(state)
  } catch {
    // The next upload looks for what may have come.
  }
}

interface Step {
  readonly message: ArchivedMessage
  readonly isUncertain: boolean
  /** How many points like it there are up to it. */
  readonly copies: number
}

/** What only becomes more while an archive is written, always in the same order. */
function bodyOf({ entries }: ArchivedExperiment): Step[] {
  const points = new Map<string, number>()
  return entries
    .filter(({ message }) => !isReplaced(message))
    .map((entry) => {
      const key = entry.message.type === 'metric' ? JSON.stringify(entry.message) : ''
      const copies = (points.get(key) ?? 0) + 1
      points.set(key, copies)
      return { ...entry, copies }
    })
}

/** What may be sent again, since it takes the place of what is there. */
function tailOf(archive: ArchivedExperiment): Step[] {
  const { experimentName, experimentKey, tags, startMs, stopMs, error } = archive
  const isNew = experimentKey === undefined
  const times = {
    ...(startMs === undefined || !isNew ? {} : { startMs }),
    ...(stopMs === undefined ? {} : { endMs: stopMs }),
  }
  const messages: ArchivedMessage[] = [
    ...archive.entries.map(({ message }) => message).filter(isReplaced),
    ...(tags.length === 0 ? [] : [{ type: 'tags', tags } as const]),
    ...(Object.keys(times).length === 0 ? [] : [{ type: 'times', ...times } as const]),
    ...(error === undefined ? [] : [{ type: 'status', isAlive: false, error } as const]),
    // By its first name an experiment is found again, so it keeps that to the end.
    ...(experimentName === undefined || !isNew
      ? []
      : [{ type: 'other', name: 'Name', value: experimentName, atMs: stopMs ?? Date.now() } as const]),
  ]
  return messages.map((message) => ({ message, isUncertain: false, copies: 1 }))
}

const isReplaced = (message: ArchivedMessage): boolean => message.type === 'asset' && message.overwrite

interface Sending {
  readonly api: JsonApi
  readonly settings: CometSettings
  readonly experimentKey: string
  readonly parts: UploadParts
  readonly mayBeThere: boolean
}

/** @returns false where it is left out, which was told */
async function sendStep({ message, copies }: Step, sending: Sending): Promise<boolean> {
  if (message.type !== 'asset') return send(message, copies, sending)
  const { filePath, ...asset } = message
  const bytes = sending.parts.archive.file(filePath)
  if (bytes !== undefined) return send({ ...asset, content: { bytes } }, copies, sending)
  sending.parts.warn(`${nameOf(asset)} is left out: the archive has no file ${filePath}`)
  return false
}

async function send(message: CometMessage, copies: number, sending: Sending): Promise<boolean> {
  const { api, settings, experimentKey, parts } = sending
  const { clock, random = Math.random, warn } = parts
  const timeoutMs = message.type === 'asset' ? settings.uploadMs : settings.requestMs
  const asking = { api, experimentKey, timeoutMs: settings.requestMs }
  let mayBeThere = sending.mayBeThere
  for (let attempts = 1; ; attempts += 1) {
    try {
      if (mayBeThere && (await isThere(message, copies, asking))) return true
      await api.call(await toCall(message, experimentKey), timeoutMs)
      return true
    } catch (error) {
      if (!(error instanceof CometRefusal)) throw error
      if (error.kind === 'refused') {
        warn(`${api.server} ${error.message}: ${nameOf(message)} is left out`)
        return false
      }
      const askedMs = error.retryAfterMs ?? 0
      if (askedMs > longestWaitMs)
        throw new Error(
          `${api.server} ${error.message}, and asks to be left alone for ${Math.ceil(askedMs / 60_000)} min`,
          { cause: error },
        )
      if (!error.mayPass || attempts >= mostAttempts) throw error
      mayBeThere ||= error.isUncertain
      await pause(Math.max(askedMs, random() * firstPauseMs * 2 ** attempts), clock, signal)
    }
  }
}
