import { expect, it, onTestFinished, vi } from 'vitest'
import { fromCode } from '../src/config/option-source.ts'
import { resolveOptions } from '../src/config/resolve-options.ts'
import type { GivenOptions } from '../src/config/option-table.ts'
import { renderReport } from '../src/report.ts'
import { startRun, type Started } from '../src/start.ts'
import { fakeClock, type FakeClock } from './fixtures/fake-clock.ts'
import { fakeSysfs } from './fixtures/fake-sysfs.ts'
import { fakeMachine } from './tracker/fake-machine.ts'

function running(given: GivenOptions): { run: Started; clock: FakeClock } {
  const clock = fakeClock()
  const machine = fakeMachine()
  const { options } = resolveOptions(fromCode({ ...machine.options, outputMethods: [], ...given }))
  const run = startRun(options, { log: () => undefined, clock })
  onTestFinished(async () => {
    await run.run.stop()
  })
  return { run, clock }
}

it('the battery of a laptop tells the whole machine, beside its parts and in no sum', async () => {
  const sysfs = fakeSysfs({
    'class/power_supply/BAT0/type': 'Battery\n',
    'class/power_supply/BAT0/status': 'Discharging\n',
    'class/power_supply/BAT0/present': '1\n',
    'class/power_supply/BAT0/power_now': '12000000\n',
  })
  const { run, clock } = running({ sysfsPath: sysfs.path, forceCpuPower: 10, forceRamPower: 2 })
  await vi.waitFor(() => {
    clock.advance(1)
    expect(run.run.record().hosts).toHaveLength(1)
  })
  const before = run.run.record()
  clock.advance(10)
  const after = run.run.record()
  const [host] = after.hosts
  expect(host).toMatchObject({ domain: 'battery', source: 'battery', method: 'integrated' })
  expect((host?.energyJoules ?? 0) - (before.hosts[0]?.energyJoules ?? 0)).toBeCloseTo(120, 0)
  const parts = after.components.reduce((sum, { energyJoules = 0 }) => sum + energyJoules, 0)
  expect((after.energyConsumed ?? 0) * 3.6e6).toBeCloseTo(parts, 6)
  expect(renderReport(run, after)).toMatch(/Host +[\d.]+ J +12\.0 W +integrated by battery .*not added/)
})

it('a controller that is named and cannot be used is a problem, and no reason to stop', async () => {
  const { run, clock } = running({ redfishUrl: 'https://127.0.0.1:1', offline: true })
  await vi.waitFor(() => {
    clock.advance(1)
    expect(run.run.record().problems).toContainEqual(
      expect.objectContaining({
        subject: 'redfish_url',
        message: 'redfish: redfish_url is not asked: offline makes no connection',
      }),
    )
  })
  expect(run.run.record().hosts).toMatchObject([
    { source: 'redfish', method: 'unmeasured', energyJoules: undefined },
  ])
  expect(renderReport(run, run.run.record())).toMatch(/^ {2}Host +unmeasured by redfish: .*offline/m)
})
