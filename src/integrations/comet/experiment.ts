import { inspect } from 'node:util'
import { EnergyError, messageOf } from '../../core/errors.ts'
import { placeFromHere } from '../../files/whole-file.ts'
import type {
  AssetOptions,
  CometExperiment,
  Companion,
  MetricOptions,
  OpeningExperiment,
} from './comet-experiment.ts'
import { countdown, within } from './deadline.ts'
import { Delivery, type DeliveryParts } from './delivery.ts'
import { holdProcess } from './hold-process.ts'
import type { CometSettings } from './load-settings.ts'
import { toName, toValue, type CometPoint, type OutputLine, type SystemDetails } from './message.ts'
import { mostTogether } from './outbox.ts'
import { systemDetails } from './system-details.ts'
import { createWarnOnce, type WarnOnce } from './warn-once.ts'

/** What an experiment is put together from. */
export interface ExperimentParts extends Omit<DeliveryParts, 'warnOnce'> {
  /** Called once, when it has ended. */
  readonly onEnded?: () => void
}

/** Begins an experiment, and returns it at once. */
export function beginExperiment(parts: ExperimentParts): OpeningExperiment {
  return new Experiment(parts)
}

/** Turns what is logged into messages, and hands them to a delivery. */
class Experiment implements OpeningExperiment {
  readonly opened: Promise<void>
  tracker: Companion | undefined = undefined
  readonly #parts: ExperimentParts
  readonly #delivery: Delivery
  readonly #warnOnce: WarnOnce
  readonly #beforeEnd = new Set<() => void>()
  #ending: Promise<void> | undefined
  #isFailed = false
  #lines: number

  constructor(parts: ExperimentParts) {
    this.#parts = parts
    this.#lines = firstLine(parts.settings, this.#nowMs())
    this.#warnOnce = createWarnOnce(parts.log)
    this.#delivery = new Delivery({ ...parts, warnOnce: this.#warnOnce })
    if (parts.settings.autoLogSystem) this.logSystemDetails(systemDetails(parts.settings))
    this.opened = this.#delivery.open()
  }

  get key(): string | undefined {
    return this.#delivery.key
  }

  get url(): string | undefined {
    return this.#delivery.url
  }

  get state(): CometExperiment['state'] {
    return this.#delivery.state
  }

  get problem(): string | undefined {
    return this.#delivery.problem
  }

  get archive(): string | undefined {
    return this.#delivery.archive
  }

  logMetric(name: string, value: number, options?: MetricOptions): void {
    this.#attempt('logMetric', () => {
      this.#addMetric(name, value, options)
    })
  }

  logMetrics(values: Readonly<Record<string, number>>, options?: MetricOptions): void {
    this.#attempt('logMetrics', () => {
      for (const [name, value] of entriesOf(values)) this.#addMetric(name, value, options)
    })
  }

  logParameter(name: string, value: unknown): void {
    this.#attempt('logParameter', () => {
      this.#addNamed('parameter', name, value)
    })
  }

  logParameters(values: Readonly<Record<string, unknown>>): void {
    this.#attempt('logParameters', () => {
      for (const [name, value] of entriesOf(values)) this.#addNamed('parameter', name, value)
    })
  }

  logOther(name: string, value: unknown): void {
    this.#attempt('logOther', () => {
      this.#addNamed('other', name, value)
    })
  }

  logOthers(values: Readonly<Record<string, unknown>>): void {
    this.#attempt('logOthers', () => {
      for (const [name, value] of entriesOf(values)) this.#addNamed('other', name, value)
    })
  }

  addTags(tags: readonly string[]): void {
    this.#attempt('addTags', () => {
      const names = [...tags].map((tag) => this.#toName(tag))
      for (const some of inPieces(names)) this.#delivery.add({ type: 'tags', tags: some })
    })
  }

  logHtml(html: string, options?: { readonly override?: boolean }): void {
    this.#attempt('logHtml', () => {
      const override = options?.override === true
      this.#delivery.add({ type: 'html', html: checkText(html), override, atMs: this.#nowMs() })
    })
  }

  logOutput(text: string, options?: { readonly isError?: boolean }): void {
    this.#attempt('logOutput', () => {
      const isError = options?.isError === true
      const atMs = this.#nowMs()
      const lines = checkText(text)
        .split(/(?<=\n)/)
        .map((line): OutputLine => ({ text: line, isError, atMs, offset: (this.#lines += 1) }))
      for (const some of inPieces(lines)) this.#delivery.add({ type: 'output', lines: some })
    })
  }

  logSystemDetails(details: SystemDetails): void {
    this.#attempt('logSystemDetails', () => {
      this.#delivery.add({ type: 'system', details })
    })
  }

  logAsset(content: string | Uint8Array, options?: AssetOptions): void {
    this.#attempt('logAsset', () => {
      const { fileName, overwrite = false, type = 'asset', metadata, ...point } = options ?? {}
      if (typeof content !== 'string' && !(content instanceof Uint8Array))
        throw wrong('the path of a file or bytes', content)
      const usualName = typeof content === 'string' ? (content.split(/[\\/]/).at(-1) ?? content) : 'data'
      this.#delivery.add({
        type: 'asset',
        fileName: this.#toName(fileName ?? usualName),
        assetType: type,
        overwrite,
        content: typeof content === 'string' ? { path: placeFromHere(content) } : { bytes: content },
        metadata: this.#checkMetadata(metadata),
        ...this.#toPoint(point),
      })
    })
  }

  setName(name: string): void {
    this.#attempt('setName', () => {
      this.#addNamed('other', 'Name', checkName(name))
    })
  }

  setStartEndTime(times: { readonly startMs?: number; readonly endMs?: number }): void {
    this.#attempt('setStartEndTime', () => {
      const rounded = Object.entries(times).flatMap(([name, ms]) =>
        Number.isFinite(ms) ? [[name, Math.round(ms)]] : [],
      )
      this.#delivery.add({ type: 'times', ...(Object.fromEntries(rounded) as object) })
    })
  }

  fail(error?: unknown): void {
    if (this.#isFailed) return
    this.#isFailed = true
    this.#attempt('fail', () => {
      const text =
        error === undefined
          ? 'no reason given'
          : error instanceof Error
            ? `${error.name}: ${error.message}`
            : toValue(error)
      this.#delivery.add({ type: 'status', isAlive: false, error: toValue(text) })
    })
  }

  beforeEnd(tell: () => void): () => void {
    this.#beforeEnd.add(tell)
    return () => {
      this.#beforeEnd.delete(tell)
    }
  }

  async flush(options?: { readonly timeoutMs?: number }): Promise<boolean> {
    const timeoutMs = this.#timeoutIn(options)
    const release = holdProcess()
    try {
      return await this.#delivery.flush(timeoutMs)
    } finally {
      release()
    }
  }

  end(options?: { readonly timeoutMs?: number }): Promise<void> {
    this.#ending ??= this.#end(this.#timeoutIn(options))
    return this.#ending
  }

  endSync(): void {
    if (this.state === 'ended') return
    this.#attempt('endSync', () => {
      this.tracker?.stopSync()
      this.#tellEnd()
      this.#delivery.close()
      this.#parts.onEnded?.()
    })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.end()
  }

  toJSON(): object {
    const { key, url, state } = this
    return { key, url, state }
  }

  [inspect.custom](): string {
    return `CometExperiment ${inspect(this.toJSON())}`
  }

  async #end(timeoutMs: number): Promise<void> {
    const { clock, log } = this.#parts
    const release = holdProcess()
    const leftMs = countdown(timeoutMs, clock)
    try {
      await within(this.tracker?.stop() ?? Promise.resolve(), timeoutMs, clock)
      this.#tellEnd()
      await this.#delivery.finish(leftMs())
      this.endSync()
    } catch (error) {
      log('error', `Comet: the experiment could not be ended properly: ${messageOf(error)}`)
    } finally {
      release()
    }
  }

  #tellEnd(): void {
    const all = [...this.#beforeEnd]
    this.#beforeEnd.clear()
    for (const tell of all) this.#attempt('end', tell)
  }

  #addMetric(name: string, value: number, options?: MetricOptions): void {
    const { timestampMs, ...point } = options ?? {}
    if (typeof value !== 'number' || !Number.isFinite(value)) {
      this.#warnOnce(
        'not a number',
        `metric ${checkName(name)} is no finite number and left out; so are others that are none`,
      )
      return
    }
    const atMs = Number.isFinite(timestampMs) ? Math.round(Number(timestampMs)) : this.#nowMs()
    this.#delivery.add({ type: 'metric', name: this.#toName(name), value, atMs, ...this.#toPoint(point) })
  }

  #addNamed(type: 'parameter' | 'other', name: string, value: unknown): void {
    this.#delivery.add({ type, name: this.#toName(name), value: toValue(value), atMs: this.#nowMs() })
  }

  #toName(given: string): string {
    const name = toName(checkName(given))
    if (name !== given)
      this.#warnOnce('long name', `${given} is longer than Comet's names may be: it is called ${name}`)
    return name
  }

  #toPoint({ step, epoch, context }: CometPoint): CometPoint {
    return {
      ...(typeof step === 'number' && Number.isFinite(step) ? { step: Math.round(step) } : {}),
      ...(typeof epoch === 'number' && Number.isFinite(epoch) ? { epoch: Math.round(epoch) } : {}),
      ...(context === undefined || context === '' ? {} : { context: this.#toName(context) }),
    }
  }

  /** As it is now. */
  #checkMetadata(metadata: AssetOptions['metadata']): AssetOptions['metadata'] {
    try {
      return metadata === undefined ? undefined : (JSON.parse(JSON.stringify(metadata)) as typeof metadata)
    } catch (error) {
      this.#warnOnce('metadata', `the metadata of an asset are left out: ${messageOf(error)}`)
      return undefined
    }
  }

  #timeoutIn(options: { readonly timeoutMs?: number } | undefined): number {
    const timeoutMs = options?.timeoutMs
    return typeof timeoutMs === 'number' && timeoutMs >= 0 ? timeoutMs : this.#parts.settings.endMs
  }

  /** Does something that must not reach the program, whatever it was given. */
  #attempt(call: string, action: () => void): void {
    try {
      action()
    } catch (error) {
      this.#warnOnce(`wrong ${call}`, `${call}: ${messageOf(error)}; it is left out`)
    }
  }

  #nowMs(): number {
    return Math.round(this.#parts.clock.now().wallMs)
  }
}

/** Callers without types may hand in anything. */
function checkText(value: unknown): string {
  if (typeof value === 'string') return value
  throw wrong('a text', value)
}

function checkName(value: unknown): string {
  if (typeof value === 'string' && value !== '') return value
  throw wrong('a name', value)
}

function entriesOf<Value>(values: Readonly<Record<string, Value>>): [string, Value][] {
  if (typeof values !== 'object' || values === null) throw wrong('an object', values)
  return Object.entries(values)
}

function wrong(expected: string, value: unknown): EnergyError {
  const shown = value === null ? 'null' : value === '' ? 'an empty one' : typeof value
  return new EnergyError('ERR_OPTION_INVALID', `expected ${expected}, got ${shown}`)
}

/** As many as go in one request. */
function inPieces<Value>(values: readonly Value[]): Value[][] {
  const pieces: Value[][] = []
  for (let start = 0; start < values.length; start += mostTogether)
    pieces.push(values.slice(start, start + mostTogether))
  return pieces
}

/**
 * An experiment that goes on with another one must not take the numbers of its lines, which nobody can ask for: four lines a second of all time since then
 * stay below 2^31 until 2042.
 */
function firstLine({ experimentKey, mode }: CometSettings, nowMs: number): number {
  const isResumed = experimentKey !== undefined && mode !== 'create'
  return isResumed ? Math.floor((nowMs - Date.UTC(2025)) / 250) : 0
}
