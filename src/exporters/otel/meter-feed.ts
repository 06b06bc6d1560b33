import type { Exporter, RunView } from '../../core/exporter.ts'
import { tickPoint } from '../duration-points.ts'
import { createTaskPoints, type TaskPoint } from '../task-points.ts'
import { createInstruments, type Instruments } from './instruments.ts'
import type { MeterProvider } from './meter-provider.ts'

/** Whom a feed feeds. */
export interface MeterFeedOptions {
  readonly name: string
  readonly meterName: string
  /** Called when the run begins. What it gives is asked for the provider of the moment. */
  readonly findProvider: (look: () => RunView) => Promise<() => MeterProvider | undefined>
}

/** Hands a run's figures to a MeterProvider, whose readers ask for them when they like. */
export function createMeterFeed({ name, meterName, findProvider }: MeterFeedOptions): Exporter {
  let opening: Promise<void> | undefined
  let look: (() => RunView) | undefined
  let providerOfNow: (() => MeterProvider | undefined) | undefined
  let fed: { readonly provider: MeterProvider; readonly instruments: Instruments } | undefined
  const toPoint = createTaskPoints()
  /** Tasks that ended before there was somebody to tell; `undefined` once there is, or never will be. */
  let early: TaskPoint[] | undefined = []

  async function begin(lookAt: () => RunView): Promise<void> {
    try {
      providerOfNow = await findProvider(lookAt)
      feed()
      for (const point of early ?? []) fed?.instruments.add(point)
    } finally {
      early = undefined
    }
  }

  /** A program may start its SDK after the run: until then the global provider is one that does nothing. */
  function feed(): void {
    const provider = providerOfNow?.()
    if (look === undefined || provider === undefined || provider === fed?.provider) return
    fed?.instruments.close()
    const meter = provider.getMeter(meterName, look().record.codecarbonVersion)
    fed = { provider, instruments: createInstruments(meter, look) }
  }

  return {
    name,
    isShared: true,
    async open(lookAt) {
      look = lookAt
      opening = begin(lookAt)
      await opening
    },
    onTask(task) {
      const point = toPoint(task)
      if (early !== undefined) early.push(point)
      else {
        feed()
        fed?.instruments.add(point)
      }
    },
    // Those before there was somebody to tell are no loss.
    onTick(took) {
      fed?.instruments.add(tickPoint(took))
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
        fed?.instruments.close()
        fed = undefined
        look = undefined
        early = []
      }
    },
  }
}
