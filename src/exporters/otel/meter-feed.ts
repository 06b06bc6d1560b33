import type { Exporter, RunView } from '../../core/exporter.ts'
import { tickPoint } from '../duration-points.ts'
import { doEach } from '../do-each.ts'
import { endedScope, endedTask } from '../ended-task.ts'
import { createTaskPoints, type TaskPoint } from '../task-points.ts'
import { instrumentsOf, type Instruments } from './instruments.ts'
import type { MeterProvider } from './meter-provider.ts'

/** Whom a feed feeds. */
export interface MeterFeedOptions {
  readonly name: string
  readonly meterName: string
  /** Labels of scopes that become attributes, beside `queue`. @default [] */
  readonly scopeLabels?: readonly string[] | undefined
  /** Called when the run begins. What it gives is asked for the provider of the moment. */
  readonly findProvider: (look: () => RunView) => Promise<() => MeterProvider | undefined>
}

/** Points that wait to be shown. */
const mostHeld = 10_000

interface Fed {
  readonly provider: MeterProvider
  readonly instruments: Instruments
  readonly unfollow: () => void
}

/** Hands a run's figures to a MeterProvider, whose readers ask for them when they like. */
export function createMeterFeed({ name, meterName, scopeLabels, findProvider }: MeterFeedOptions): Exporter {
  let opening: Promise<void> | undefined
  let isOpening = true
  let look: (() => RunView) | undefined
  let seen: RunView | undefined
  let providerOfNow: (() => MeterProvider | undefined) | undefined
  let fed: Fed | undefined
  const toPoint = createTaskPoints(scopeLabels)
  /** Tasks that ended since the last look: shown with the next one, since their energy is as telling as that of the counters. */
  const held: TaskPoint[] = []

  async function begin(lookAt: () => RunView): Promise<void> {
    try {
      providerOfNow = await findProvider(lookAt)
      feed()
    } finally {
      isOpening = false
      if (fed === undefined) held.length = 0
    }
  }

  /** The run as it is to be shown; brings the histograms up to the same moment. */
  function view(lookAt: () => RunView): RunView {
    const now = lookAt()
    if (now !== seen) release()
    seen = now
    return now
  }

  function release(): void {
    for (const point of held.splice(0)) fed?.instruments.add(point)
  }

  function hold(point: TaskPoint): void {
    // Nobody is told, and nobody will be.
    if (!isOpening && fed === undefined) return
    held.push(point)
    // Where nobody looks they must not gather; what is added up now is shown no sooner.
    if (held.length >= mostHeld && fed !== undefined) release()
  }

  /** A program may start its SDK after the run: until then the global provider is one that does nothing. */
  function feed(): void {
    const provider = providerOfNow?.()
    if (look === undefined || provider === undefined || provider === fed?.provider) return
    const lookAt = look
    fed?.unfollow()
    const instruments = instrumentsOf(provider, meterName, lookAt().record.codecarbonVersion)
    fed = { provider, instruments, unfollow: instruments.follow(() => view(lookAt)) }
  }

  return {
    name,
    isShared: true,
    async open(lookAt) {
      look = lookAt
      isOpening = true
      opening = begin(lookAt)
      await opening
    },
    onTask(task) {
      if (!isOpening) feed()
      hold(toPoint(endedTask(task)))
    },
    onScopes(ended) {
      if (!isOpening) feed()
      doEach(ended, (record) => {
        hold(toPoint(endedScope(record)))
      })
    },
    // Those before there was somebody to tell are no loss.
    onTick(took) {
      if (fed !== undefined) hold(tickPoint(took))
    },
    // The provider's readers ask; this is the occasion to see whether it is still the same.
    async export() {
      await opening
      feed()
    },
    async close() {
      // Why it could not be opened was told then.
      await opening?.catch(() => undefined)
      try {
        // Nobody could ask for the last figures afterwards.
        await fed?.provider.forceFlush?.()
      } finally {
        fed?.unfollow()
        release()
        fed = undefined
        look = undefined
        seen = undefined
        isOpening = true
      }
    },
  }
}
