import { randomBytes } from 'node:crypto'
import type { Clock } from '../../core/clock.ts'
import { messageOf } from '../../core/errors.ts'
import type { Fetch } from '../../http/http-request.ts'
import type { JsonApi } from '../../http/json-api.ts'
import { printable, type Log } from '../../log.ts'
import { createCometApi } from './comet-api.ts'
import type { CometExperiment } from './comet-experiment.ts'
import { CometRefusal } from './comet-refusal.ts'
import { countdown, within } from './deadline.ts'
import { startHeartbeat } from './heartbeat.ts'
import type { CometSettings } from './load-settings.ts'
import { nameOf, toName, toValue, type CometMessage } from './message.ts'
import { openExperiment, type OpenedExperiment } from './open-experiment.ts'
import { Outbox } from './outbox.ts'
import { createSender, type Fate, type Sender } from './sender.ts'
import { createSpool, type Spool } from './spool.ts'
import type { WarnOnce } from './warn-once.ts'

/** What a delivery is put together from. */
export interface DeliveryParts {
  readonly settings: CometSettings
  readonly log: Log
  readonly warnOnce: WarnOnce
  readonly fetch: Fetch
  readonly clock: Clock
  /** From 0 to 1. @default Math.random */
  readonly random?: () => number
  /** Whoever began it tells what goes wrong in between. @default false */
  readonly isQuiet?: boolean
}

/**
 * Brings messages of one experiment to Comet: `opening` they wait, `online` they are sent, `offline` they are written to an archive, `disabled`
 * they are dropped. A server that cannot be used, or stays away, makes it offline for good.
 */
export class Delivery {
  readonly #parts: DeliveryParts
  readonly #settings: CometSettings
  readonly #api: JsonApi
  readonly #outbox = new Outbox()
  readonly #spool: Spool
  readonly #opening = new AbortController()
  readonly #ownName: string
  #state: CometExperiment['state'] = 'opening'
  #opened: Promise<void> | undefined
  #server: OpenedExperiment | undefined
  #sender: Sender | undefined
  #heartbeat: { stop(): void } | undefined
  #leftOut = 0
  #problem: string | undefined
  #archive: string | undefined
  /** What of that the user was told. */
  #toldProblem: string | undefined

  constructor(parts: DeliveryParts) {
    this.#parts = parts
    this.#settings = parts.settings
    this.#api = createCometApi(parts)
    this.#ownName = `${parts.settings.experimentName ?? 'run'}-${randomBytes(4).toString('hex')}`
    this.#spool = createSpool({
      ...parts,
      outbox: this.#outbox,
      ownName: this.#ownName,
      serverKey: () => this.#server?.key,
    })
  }

  /** Of the server; of the archive where there is none. */
  get key(): string | undefined {
    return this.#server?.key ?? this.#settings.experimentKey ?? this.#spool.id
  }

  get url(): string | undefined {
    return this.#server?.url
  }

  get state(): CometExperiment['state'] {
    return this.#state
  }

  /** What went wrong last, where nothing has come since. */
  get problem(): string | undefined {
    return this.#problem
  }

  /** Path of the archive, where it ended in one. */
  get archive(): string | undefined {
    return this.#archive
  }

  /** Resolves when there is an answer or none is waited for any more. Never rejects. */
  open(): Promise<void> {
    this.#opened ??= this.#open()
    return this.#opened
  }

  add(message: CometMessage): void {
    if (this.#state === 'ended')
      this.#parts.warnOnce(
        'ended',
        `the experiment has ended: ${nameOf(message)} and what comes after it is left out`,
      )
    if (this.#state === 'disabled' || this.#state === 'ended') return
    // Each beat would say that it is alive.
    if (message.type === 'status' && !message.isAlive) this.#heartbeat?.stop()
    const spilled = this.#outbox.add(message)
    if (spilled.some((one) => one.message.type === 'asset'))
      this.#parts.warnOnce(
        'large',
        `${nameOf(message)} is too large to wait with all else: it goes to an archive`,
      )
    else if (spilled.length > 0)
      this.#parts.warnOnce(
        'full',
        'more waits to be sent than there is room for: the oldest figures go to an archive',
      )
    this.#spool.keep(spilled)
    if (this.#state === 'online') this.#sender?.kick()
    else if (this.#state === 'offline') this.#spool.writeSoon()
  }

  /** Resolves with true when all has come, or is written where there is no server, and with false when it will not in that time. */
  async flush(timeoutMs: number): Promise<boolean> {
    const { clock } = this.#parts
    const leftMs = countdown(timeoutMs, clock)
    await within(this.open(), timeoutMs, clock)
    if (this.#state === 'online') return (await this.#sender?.drain(leftMs())) ?? false
    if (this.#state === 'offline') this.#spool.write()
    return this.#state === 'offline'
  }

  /** Sends what is left, and when it ended, as far as that time allows. */
  async finish(timeoutMs: number): Promise<void> {
    const { clock } = this.#parts
    const leftMs = countdown(timeoutMs, clock)
    await within(this.open(), timeoutMs, clock)
    if (this.#state === 'opening') {
      this.#opening.abort(new Error('the experiment has ended'))
      this.#problem = `${this.#api.server} gave no answer in time`
      this.#goOffline()
    }
    if (this.#state === 'online') {
      this.add({ type: 'times', endMs: this.#nowMs() })
      await this.#sender?.drain(leftMs())
    }
  }

  /** Ends at once: what has not come is written to an archive. */
  close(): void {
    const { log } = this.#parts
    this.#stopTalking('the process ended')
    const isLeft = this.#outbox.left > 0 || this.#spool.id !== undefined
    if (this.#state !== 'disabled' && isLeft) this.#store()
    this.#state = 'ended'
    if (this.#leftOut > 1) log('warning', `Comet: ${this.#leftOut} things were refused and left out`)
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
    const { requestMs, uploadMs } = this.#settings
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
      onRefusal: (refusal, { message }, fate) => {
        this.#refused(refusal, message, fate)
      },
      onCome: () => {
        this.#problem = undefined
      },
      onGivenUp: (refusal) => {
        this.#giveUp(refusal)
      },
    })
    if (server.rename !== undefined)
      this.add({ type: 'other', name: 'Name', value: toValue(server.rename), atMs: this.#nowMs() })
    this.#addTags()
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
    this.#toldProblem = this.#problem
    log(
      'warning',
      `${this.#problem}; what is logged goes to ${settings.offlineDirectory}, to be uploaded later`,
    )
  }

  #goOffline(): void {
    this.#state = 'offline'
    this.#spool.open()
    if (this.#server === undefined) this.#addTags()
    this.#spool.writeSoon()
  }

  #addTags(): void {
    const { tags } = this.#settings
    if (tags.length > 0) this.add({ type: 'tags', tags: tags.map(toName) })
  }

  #refused(refusal: CometRefusal, message: CometMessage, fate: Fate): void {
    const { isQuiet = false } = this.#parts
    this.#problem = `${this.#api.server} ${refusal.message}`
    if (fate === 'left out') {
      this.#leftOut += 1
      this.#warnOfProblem('left out', `: ${nameOf(message)} is left out`)
    } else if (fate === 'set aside') {
      this.#warnOfProblem(`aside ${refusal.kind}`, `: ${nameOf(message)} goes to an archive`)
    } else if (!isQuiet && refusal.retryAfterMs === undefined) {
      this.#warnOfProblem(refusal.kind, '; it is tried again')
    }
  }

  #giveUp(refusal: CometRefusal): void {
    if (this.#state !== 'online') return
    this.#stopTalking('the server stays away')
    this.#problem = `${this.#api.server} ${refusal.message}`
    this.#goOffline()
    const { offlineDirectory } = this.#settings
    this.#warnOfProblem(
      'given up',
      `; what is logged from now on goes to ${offlineDirectory}, to be uploaded later`,
    )
  }

  #warnOfProblem(kind: string, rest: string): void {
    this.#parts.warnOnce(kind, `${this.#problem ?? ''}${rest}`)
    this.#toldProblem = this.#problem
  }

  #stopTalking(why: string): void {
    if (!this.#opening.signal.aborted) this.#opening.abort(new Error(why))
    this.#heartbeat?.stop()
    this.#sender?.stop()
  }

  /** Puts what has not come into the archive, and tells where that is. */
  #store(): void {
    const { settings, log } = this.#parts
    const isWhole = this.#server === undefined || this.#state === 'offline'
    const path = this.#spool.close()
    this.#archive = path
    if (path === undefined) return
    const { written, lost } = this.#spool
    const isMeant = settings.offline
    const what = isWhole ? 'the experiment' : `${written} things that were logged`
    const isNews = this.#problem !== this.#toldProblem && !isMeant
    const why = this.#problem === undefined || !isNews ? '' : ` (${this.#problem})`
    const loss = lost === 0 ? '' : `; ${lost} things could not be written and are lost`
    log(
      isMeant && lost === 0 ? 'info' : 'warning',
      `Comet: ${what} ${isMeant ? 'is in' : 'could not be sent and went to'} ${path}${why}${loss}; to send it: codecarbon comet upload ${path}`,
    )
  }

  #nowMs(): number {
    return Math.round(this.#parts.clock.now().wallMs)
  }
}
