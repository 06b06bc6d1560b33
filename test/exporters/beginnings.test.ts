import { expect, it } from 'vitest'
import type { RunView } from '../../src/core/exporter.ts'
import { begunMs, hostCounters } from '../../src/exporters/beginnings.ts'
import { metricTable } from '../../src/exporters/metrics.ts'
import { observe } from '../../src/exporters/observations.ts'
import { EmissionsTracker, type Exporter } from '../../src/index.ts'
import { fakeMachine } from '../tracker/fake-machine.ts'

/** What a run of which everything is told shows at its end. */
async function seen(): Promise<RunView> {
  const machine = fakeMachine()
  let look: (() => RunView) | undefined
  const exporter: Exporter = { name: 'seer', open: (lookAt) => void (look = lookAt), export: () => undefined }
  const options = { pue: 1.5, wue: 2, embodiedEmissionsKg: 10, functionalUnits: 3, exporters: [exporter] }
  const tracker = new EmissionsTracker({ ...machine.options, ...options }).start()
  machine.use(36)
  await tracker.stop()
  return look?.() ?? expect.fail('nobody may look')
}

/** Counters that a run shows. */
const counters = (view: RunView): Set<string> =>
  new Set(
    observe(view).flatMap(({ metric }) => (metricTable[metric].instrument === 'counter' ? [metric] : [])),
  )

it('of the machine are exactly those counters that a run leaves out while another one tells them', async () => {
  const view = await seen()
  const without = (part: Partial<RunView['host']>): string[] => {
    const left = counters({ ...view, host: { ...view.host, ...part } })
    return [...counters(view)].filter((metric) => !left.has(metric))
  }
  const found = [
    ...without({ devices: undefined }).map((metric) => [metric, 'devices']),
    ...without({ used: undefined, unattributed: undefined }).map((metric) => [metric, 'components']),
  ]
  // This machine has no meter of the whole host.
  expect({ hwHostEnergy: 'devices', ...Object.fromEntries(found) }).toEqual(hostCounters)
})

it('begin with the run, or when the run began to tell of the machine', async () => {
  const view = await seen()
  const later = { ...view, host: { ...view.host, begunMs: { devices: view.begunMs + 5 } } }
  expect(begunMs(later, 'hw.energy')).toBe(view.begunMs + 5)
  expect(begunMs(later, 'codecarbon.component.energy')).toBe(view.begunMs)
  expect(begunMs(later, 'codecarbon.task.energy')).toBe(view.begunMs)
})
