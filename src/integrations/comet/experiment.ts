import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { Clock } from '../../core/clock.ts'
import { EnergyError, messageOf } from '../../core/errors.ts'
import { stateDirectory } from '../../files/state-directory.ts'
import type { Fetch } from '../../http/http-request.ts'
import type { JsonApi } from '../../http/json-api.ts'
import { printable, type Log } from '../../log.ts'
import { createArchive, type Archive } from './archive.ts'
import { createCometApi } from './comet-api.ts'
import type {
  AssetOptions,
  CometExperiment,
  Companion,
  MetricOptions,
  OpeningExperiment,
} from './comet-experiment.ts'
import { CometRefusal } from './comet-refusal.ts'
import { startHeartbeat } from './heartbeat.ts'
import { holdProcess } from './hold-process.ts'
import type { CometSettings } from './load-settings.ts'
import {
  toName,
  toValue,
  type CometMessage,
  type CometPoint,
  type OutputLine,
  type SystemDetails,
} from './message.ts'
import { openExperiment, type OpenedExperiment } from './open-experiment.ts'
import { Outbox } from './outbox.ts'
import { createSender, type Sender } from './sender.ts'
import { systemDetails } from './system-details.ts'

/** What an experiment is put together from. */
export interface ExperimentParts {
  readonly settings: CometSettings
  readonly log: Log
  readonly fetch: Fetch
  readonly clock: Clock
  /** From 0 to 1. @default Math.random */
  readonly random?: () => number
  /** Whoever began it tells what goes wrong in between. @default false */
  readonly isQuiet?: boolean
  /** Called once, when it has ended. */
  readonly onEnded?: () => void
}

/** What is logged is written to the archive so often. */
const spillMs = 1000
const spillItems = 500
const longestError = 1000

/** Begins an experiment, and returns it at once. */
export function beginExperiment(parts: ExperimentParts): OpeningExperiment {
  return new Experiment(parts)
}

class Experiment implements OpeningExperiment {
  readonly opened: Promise<void>
  tracker: Companion | undefined = undefined
  readonly #parts: ExperimentParts
  readonly #settings: CometSettings
  readonly #api: JsonApi
  readonly #outbox = new Outbox()
  readonly #told = new Set<string>()
  readonly #opening = new AbortController()
  readonly #startMs: number
  readonly #ownName: string
  #state: CometExperiment['state'] = 'opening'
  #server: OpenedExperiment | undefined
  #sender: Sender | undefined
  #heartbeat: { stop(): void } | undefined
  #archive: Archive | undefined
  #cancelSpill: (() => void) | undefined
  #ending: Promise<void> | undefined
  #lines = 0
  #lost = 0
  #problem: string | undefined

  constructor(parts: ExperimentParts) {
    this.#parts = parts
    this.#settings = parts.settings
    this.#api = createCometApi(parts)
    this.#startMs = this.#nowMs()
    this.#ownName = `${parts.settings.experimentName ?? 'run'}-${randomBytes(4).toString('hex')}`
    if (parts.settings.autoLogSystem) this.logSystemDetails(systemDetails(parts.settings))
    this.opened = this.#open()
  }

  get key(): string | undefined {
    return this.#server?.key ?? this.#settings.experimentKey ?? this.#archive?.id
  }

  get url(): string | undefined {
    return this.#server?.url
  }

  get state(): CometExperiment['state'] {
    return this.#state
  }

  get problem(): string | undefined {
    return this.#problem
  }

  logMetric(name: string, value: number, options: MetricOptions = {}): void {
    this.logMetrics({ [name]: value }, options)
  }

  logMetrics(values: Readonly<Record<string, number>>, options: MetricOptions = {}): void {
    this.#attempt(() => {
      const { timestampMs = this.#nowMs(), ...point } = options
      for (const [name, value] of Object.entries(values)) {
        if (typeof value === 'number' && Number.isFinite(value)) {
          this.#add({
            type: 'metric',
            name: toName(name),
            value,
            atMs: Math.round(timestampMs),
            ...toPoint(point),
          })
        } else {
          this.#warnOnce(
            'not a number',
            `metric ${name} is no finite number and left out; so are others that are none`,
          )
        }
      }
    })
  }

  logParameter(name: string, value: unknown): void {
    this.logParameters({ [name]: value })
  }

  logParameters(values: Readonly<Record<string, unknown>>): void {
    this.#attempt(() => {
      for (const [name, value] of Object.entries(values))
        this.#add({ type: 'parameter', name: toName(name), value: toValue(value), atMs: this.#nowMs() })
    })
  }

  logOther(name: string, value: unknown): void {
    this.logOthers({ [name]: value })
  }

  logOthers(values: Readonly<Record<string, unknown>>): void {
    this.#attempt(() => {
      for (const [name, value] of Object.entries(values))
        this.#add({ type: 'other', name: toName(name), value: toValue(value), atMs: this.#nowMs() })
    })
  }

  addTags(tags: readonly string[]): void {
    this.#attempt(() => {
      if (tags.length > 0) this.#add({ type: 'tags', tags: tags.map(toName) })
    })
  }

  logHtml(html: string, { override = false }: { readonly override?: boolean } = {}): void {
    this.#attempt(() => {
      this.#add({ type: 'html', html: checkText(html), override, atMs: this.#nowMs() })
    })
  }

  logOutput(text: string, { isError = false }: { readonly isError?: boolean } = {}): void {
    this.#attempt(() => {
      const lines = checkText(text)
        .split(/(?<=\n)/)
        .map((line): OutputLine => ({ text: line, isError, atMs: this.#nowMs(), offset: (this.#lines += 1) }))
      this.#add({ type: 'output', lines })
    })
  }

  logSystemDetails(details: SystemDetails): void {
    this.#attempt(() => {
      this.#add({ type: 'system', details })
    })
  }

  logAsset(content: string | Uint8Array, options: AssetOptions = {}): void {
    this.#attempt(() => {
      const { fileName, overwrite = false, type = 'asset', metadata, ...point } = options
      const usualName = typeof content === 'string' ? (content.split(/[\\/]/).at(-1) ?? content) : 'data'
      this.#add({
        type: 'asset',
        fileName: toName(fileName ?? usualName),
        assetType: type,
        overwrite,
        content: typeof content === 'string' ? { path: content } : { bytes: content },
        metadata,
        ...toPoint(point),
      })
    })
  }

  setName(name: string): void {
    this.logOther('Name', name)
  }

  setStartEndTime(times: { readonly startMs?: number; readonly endMs?: number }): void {
    this.#attempt(() => {
      const rounded = Object.entries(times).flatMap(([name, ms]) =>
        Number.isFinite(ms) ? [[name, Math.round(ms)]] : [],
      )
      this.#add({ type: 'times', ...(Object.fromEntries(rounded) as object) })
    })
  }

  fail(error: unknown): void {
    this.#attempt(() => {
      const text = error instanceof Error ? `${error.name}: ${error.message}` : messageOf(error)
      this.#add({ type: 'status', isAlive: false, error: text.slice(0, longestError) })
    })
  }

  async flush({ timeoutMs = this.#settings.endMs }: { readonly timeoutMs?: number } = {}): Promise<boolean> {
    const release = holdProcess()
    try {
      const endMs = this.#monotonicMs() + timeoutMs
      await this.#within(this.opened, timeoutMs)
      if (this.#state === 'online')
        return (await this.#sender?.drain(Math.max(1, endMs - this.#monotonicMs()))) ?? false
      if (this.#state === 'offline') this.#spill()
      return this.#state === 'offline'
    } finally {
      release()
    }
  }

  end({ timeoutMs = this.#settings.endMs }: { readonly timeoutMs?: number } = {}): Promise<void> {
    this.#ending ??= this.#finish(timeoutMs)
    return this.#ending
  }

  endSync(): void {
    if (this.#state === 'ended') return
    this.#attempt(() => {
      this.tracker?.stopSync()
      this.#stopTalking('the process ended')
      if (this.#state !== 'disabled' && (this.#outbox.size > 0 || this.#state === 'offline')) this.#store()
      this.#state = 'ended'
      this.#parts.onEnded?.()
      if (this.#lost > 0) this.#parts.log('warning', `Comet: ${this.#lost} figures were dropped`)
    })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.end()
  }

  async #open(): Promise<void> {
    const { settings, log } = this.#parts
    if (settings.offline) {
      this.#goOffline()
      return
    }
    if (settings.apiKey === undefined) {
      this.#state = 'disabled'
      log(
        'warning',
        'Comet: nothing is logged without an API key: give COMET_API_KEY (apiKey in code), or COMET_OFFLINE=true',
      )
      return
    }
    try {
      const { clock, random = Math.random } = this.#parts
      const { signal } = this.#opening
      const server = await openExperiment({
        api: this.#api,
        settings,
        clock,
        random,
        signal,
        ownName: this.#ownName,
      })
      if (!signal.aborted) this.#goOnline(server)
    } catch (error) {
      if (this.#opening.signal.aborted) return
      this.#cannotOpen(error)
    }
  }

  #goOnline(server: OpenedExperiment): void {
    const { clock, log, random = Math.random } = this.#parts
    const { requestMs, uploadMs, tags } = this.#settings
    const about = { api: this.#api, experimentKey: server.key, clock }
    this.#server = server
    this.#state = 'online'
    this.#heartbeat = startHeartbeat({ ...about, timeoutMs: requestMs })
    this.#sender = createSender({
      ...about,
      outbox: this.#outbox,
      random,
      requestMs,
      uploadMs,
      onRefusal: (refusal) => {
        this.#refused(refusal)
      },
      onCome: () => {
        this.#problem = undefined
      },
      onGivenUp: (refusal) => {
        this.#giveUp(refusal)
      },
    })
    if (server.rename !== undefined) this.setName(server.rename)
    this.addTags(tags)
    if (server.notice !== undefined) log('warning', `Comet: ${server.notice}`)
    log('info', `Comet: this experiment is at ${printable(server.url)}`)
    this.#sender.kick()
  }

  #cannotOpen(error: unknown): void {
    const { log, settings } = this.#parts
    const refusal = error instanceof CometRefusal ? error : new CometRefusal('refused', messageOf(error))
    this.#problem = `${this.#api.server} ${refusal.message}`
    if (refusal.kind === 'experiment' && settings.mode === 'get') {
      this.#state = 'disabled'
      this.#outbox.takeAll()
      log('warning', `${this.#problem}; nothing is logged`)
      return
    }
    this.#goOffline()
    log(
      'warning',
      `${this.#problem}; what is logged goes to ${this.#settings.offlineDirectory}, to be uploaded later`,
    )
  }

  #goOffline(): void {
    const { settings } = this.#parts
    this.#state = 'offline'
    this.#openArchive()
    if (this.#server === undefined && settings.tags.length > 0) this.addTags(settings.tags)
    this.#spillLater()
  }

  #openArchive(): Archive {
    const { settings, log } = this.#parts
    this.#archive ??= createArchive({
      folders: [settings.offlineDirectory, join(stateDirectory(), 'comet')],
      facts: {
        workspace: settings.workspace,
        projectName: settings.projectName,
        experimentName: settings.experimentName,
        experimentKey: this.#server?.key ?? (settings.mode === 'create' ? undefined : settings.experimentKey),
        ownName: settings.offline ? undefined : this.#ownName,
        tags: [],
        startMs: this.#startMs,
      },
      nowMs: () => this.#nowMs(),
      onFailure: (message) => {
        log('warning', `Comet: ${message}; what is logged is lost for Comet`)
      },
    })
    return this.#archive
  }

  #add(message: CometMessage): void {
    if (this.#state === 'disabled' || this.#state === 'ended') return
    const lost = this.#outbox.add(message)
    this.#lost += lost
    if (lost > 0)
      this.#warnOnce('full', 'more waits to be sent than there is room for: the oldest figures are dropped')
    if (this.#state === 'online') this.#sender?.kick()
    else if (this.#state === 'offline') this.#spillLater()
  }

  #spillLater(): void {
    if (this.#outbox.size >= spillItems) this.#spill()
    else
      this.#cancelSpill ??= this.#parts.clock.after(spillMs, () => {
        this.#spill()
      })
  }

  /** Writes what waits to the archive. */
  #spill(): void {
    this.#cancelSpill?.()
    this.#cancelSpill = undefined
    const items = this.#outbox.takeAll()
    if (items.length > 0) this.#openArchive().write(items)
  }

  #refused(refusal: CometRefusal): void {
    this.#problem = `${this.#api.server} ${refusal.message}`
    const isLeftToOthers = refusal.mayPass && this.#parts.isQuiet === true
    if (!isLeftToOthers && (!refusal.mayPass || refusal.retryAfterMs === undefined))
      this.#warnOnce(refusal.kind, `${this.#problem}${refusal.mayPass ? '; it is tried again' : ''}`)
  }

  #giveUp(refusal: CometRefusal): void {
    if (this.#state !== 'online') return
    this.#stopTalking('the server stays away')
    this.#goOffline()
    this.#warnOnce(
      'given up',
      `${this.#api.server} ${refusal.message}; what is logged from now on goes to ${this.#settings.offlineDirectory}, to be uploaded later`,
    )
  }

  async #finish(timeoutMs: number): Promise<void> {
    const release = holdProcess()
    const endMs = this.#monotonicMs() + timeoutMs
    const leftMs = (): number => Math.max(1, endMs - this.#monotonicMs())
    try {
      await this.#within(this.tracker?.stop() ?? Promise.resolve(), timeoutMs)
      await this.#within(this.opened, leftMs())
      if (this.#state === 'opening') {
        this.#opening.abort(new Error('the experiment has ended'))
        this.#problem = `${this.#api.server} gave no answer in time`
        this.#goOffline()
      }
      if (this.#state === 'online') {
        this.setStartEndTime({ endMs: this.#nowMs() })
        await this.#sender?.drain(leftMs())
      }
      this.endSync()
    } catch (error) {
      this.#parts.log('error', `Comet: the experiment could not be ended properly: ${messageOf(error)}`)
    } finally {
      release()
    }
  }

  /** Puts what has not come into the archive, and tells where that is. */
  #store(): void {
    const archive = this.#openArchive()
    const left = this.#outbox.size
    this.#spill()
    archive.write([{ message: { type: 'times', endMs: this.#nowMs() }, isUncertain: false }])
    const path = archive.close()
    if (path === undefined) return
    const { settings, log } = this.#parts
    const isMeant = settings.offline
    const what =
      this.#server === undefined || this.#state === 'offline'
        ? 'the experiment'
        : `${left} things that were logged`
    const why = this.#problem === undefined || isMeant ? '' : ` (${this.#problem})`
    log(
      isMeant ? 'info' : 'warning',
      `Comet: ${what} ${isMeant ? 'is in' : 'could not be sent and went to'} ${path}${why}; to send it: codecarbon comet upload ${path}`,
    )
  }

  #stopTalking(why: string): void {
    this.#cancelSpill?.()
    this.#cancelSpill = undefined
    if (!this.#opening.signal.aborted) this.#opening.abort(new Error(why))
    this.#heartbeat?.stop()
    this.#sender?.stop()
  }

  async #within(work: Promise<unknown>, timeoutMs: number): Promise<void> {
    let cancel = (): void => undefined
    const late = new Promise<void>((resolve) => {
      cancel = this.#parts.clock.after(timeoutMs, resolve)
    })
    await Promise.race([work, late])
    cancel()
  }

  #warnOnce(kind: string, message: string): void {
    if (this.#told.has(kind)) return
    this.#told.add(kind)
    const prefix = message.startsWith('Comet') ? '' : 'Comet: '
    this.#parts.log('warning', `${prefix}${printable(message)}`)
  }

  /** Does something that must not reach the program, whatever it was given. */
  #attempt(action: () => void): void {
    try {
      action()
    } catch (error) {
      this.#warnOnce('wrong value', `something could not be logged: ${messageOf(error)}`)
    }
  }

  #nowMs(): number {
    return Math.round(this.#parts.clock.now().wallMs)
  }

  #monotonicMs(): number {
    return this.#parts.clock.now().monotonic * 1000
  }
}

/** Callers without types may hand in anything. */
function checkText(value: unknown): string {
  if (typeof value === 'string') return value
  throw new EnergyError(
    'ERR_OPTION_INVALID',
    `expected a text, got ${value === null ? 'null' : typeof value}`,
  )
}

function toPoint({ step, epoch, context }: CometPoint): CometPoint {
  return {
    ...(typeof step === 'number' && Number.isFinite(step) ? { step: Math.round(step) } : {}),
    ...(typeof epoch === 'number' && Number.isFinite(epoch) ? { epoch: Math.round(epoch) } : {}),
    ...(context === undefined || context === '' ? {} : { context: toName(context) }),
  }
}
