import { EnergyError, messageOf } from '../../core/errors.ts'
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
import { toName, toValue, type CometPoint, type OutputLine, type SystemDetails } from './message.ts'
import { systemDetails } from './system-details.ts'
import { createWarnOnce, type WarnOnce } from './warn-once.ts'

/** What an experiment is put together from. */
export interface ExperimentParts extends Omit<DeliveryParts, 'warnOnce'> {
  /** Called once, when it has ended. */
  readonly onEnded?: () => void
}

const longestError = 1000

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
  #ending: Promise<void> | undefined
  #lines = 0

  constructor(parts: ExperimentParts) {
    this.#parts = parts
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

  logMetric(name: string, value: number, options: MetricOptions = {}): void {
    this.logMetrics({ [name]: value }, options)
  }

  logMetrics(values: Readonly<Record<string, number>>, options: MetricOptions = {}): void {
    this.#attempt(() => {
      const { timestampMs = this.#nowMs(), ...point } = options
      for (const [name, value] of Object.entries(values)) {
        if (typeof value === 'number' && Number.isFinite(value)) {
          this.#delivery.add({
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
        this.#delivery.add({
          type: 'parameter',
          name: toName(name),
          value: toValue(value),
          atMs: this.#nowMs(),
        })
    })
  }

  logOther(name: string, value: unknown): void {
    this.logOthers({ [name]: value })
  }

  logOthers(values: Readonly<Record<string, unknown>>): void {
    this.#attempt(() => {
      for (const [name, value] of Object.entries(values))
        this.#delivery.add({ type: 'other', name: toName(name), value: toValue(value), atMs: this.#nowMs() })
    })
  }

  addTags(tags: readonly string[]): void {
    this.#attempt(() => {
      if (tags.length > 0) this.#delivery.add({ type: 'tags', tags: tags.map(toName) })
    })
  }

  logHtml(html: string, { override = false }: { readonly override?: boolean } = {}): void {
    this.#attempt(() => {
      this.#delivery.add({ type: 'html', html: checkText(html), override, atMs: this.#nowMs() })
    })
  }

  logOutput(text: string, { isError = false }: { readonly isError?: boolean } = {}): void {
    this.#attempt(() => {
      const lines = checkText(text)
        .split(/(?<=\n)/)
        .map((line): OutputLine => ({ text: line, isError, atMs: this.#nowMs(), offset: (this.#lines += 1) }))
      this.#delivery.add({ type: 'output', lines })
    })
  }

  logSystemDetails(details: SystemDetails): void {
    this.#attempt(() => {
      this.#delivery.add({ type: 'system', details })
    })
  }

  logAsset(content: string | Uint8Array, options: AssetOptions = {}): void {
    this.#attempt(() => {
      const { fileName, overwrite = false, type = 'asset', metadata, ...point } = options
      const usualName = typeof content === 'string' ? (content.split(/[\\/]/).at(-1) ?? content) : 'data'
      this.#delivery.add({
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
      this.#delivery.add({ type: 'times', ...(Object.fromEntries(rounded) as object) })
    })
  }

  fail(error: unknown): void {
    this.#attempt(() => {
      const text = error instanceof Error ? `${error.name}: ${error.message}` : messageOf(error)
      this.#delivery.add({ type: 'status', isAlive: false, error: text.slice(0, longestError) })
    })
  }

  async flush({ timeoutMs = this.#parts.settings.endMs } = {}): Promise<boolean> {
    const release = holdProcess()
    try {
      return await this.#delivery.flush(timeoutMs)
    } finally {
      release()
    }
  }

  end({ timeoutMs = this.#parts.settings.endMs } = {}): Promise<void> {
    this.#ending ??= this.#end(timeoutMs)
    return this.#ending
  }

  endSync(): void {
    if (this.state === 'ended') return
    this.#attempt(() => {
      this.tracker?.stopSync()
      this.#delivery.close()
      this.#parts.onEnded?.()
    })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.end()
  }

  async #end(timeoutMs: number): Promise<void> {
    const { clock, log } = this.#parts
    const release = holdProcess()
    const leftMs = countdown(timeoutMs, clock)
    try {
      await within(this.tracker?.stop() ?? Promise.resolve(), timeoutMs, clock)
      await this.#delivery.finish(leftMs())
      this.endSync()
    } catch (error) {
      log('error', `Comet: the experiment could not be ended properly: ${messageOf(error)}`)
    } finally {
      release()
    }
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
