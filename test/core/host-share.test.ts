import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { exactly } from '../../src/core/estimate.ts'
import { HostShare, type HostCounters, type HostSeries } from '../../src/core/host-share.ts'
import { grams, joules, seconds } from '../../src/core/units.ts'
import type { Usage } from '../../src/core/usage.ts'

/** What a run that measures the machine has counted, of which tasks took a third. */
function counted(value: number): HostCounters {
  const usage = (part: number): Usage => ({
    time: seconds(value),
    machineTime: seconds(value),
    energy: {
      cpu: {
        ...exactly(joules(part)),
        told: seconds(value),
        emissions: grams(part),
        methods: { measured: joules(part), integrated: joules(0), estimated: joules(0) },
      },
    },
    emissions: exactly(grams(part)),
  })
  const domain = {
    domain: 'package-0',
    kind: 'package',
    component: 'cpu',
    method: 'measured',
    probe: 'rapl',
    ...exactly(joules(value)),
    energy: joules(value),
  } as const
  return { wallMs: value * 1000, used: usage(value), unattributed: usage((value * 2) / 3), domains: [domain] }
}

const both: readonly HostSeries[] = ['devices', 'components']
const reporting = (isReporting: boolean): { reports: () => boolean } => ({ reports: () => isReporting })

describe('what a run tells of its machine', () => {
  it('is all that it counted, where nobody else tells anything', () => {
    const share = new HostShare(both)
    share.settle(reporting(true), counted(0))
    const view = share.view(counted(30))
    expect(view.reports).toEqual({ devices: true, components: true })
    expect(view.used).toEqual(counted(30).used)
    expect(view.unattributed).toEqual(counted(30).unattributed)
    expect(view.devices?.get('measured package-0')).toBe(30)
  })

  it('is nothing while another run tells it, and then what came since', () => {
    const share = new HostShare(both)
    share.settle(reporting(false), counted(0))
    expect(share.view(counted(50))).toEqual({
      reports: { devices: false, components: false },
      begunMs: {},
      devices: undefined,
      used: undefined,
      unattributed: undefined,
    })
    share.settle(reporting(true), counted(60))
    const view = share.view(counted(64))
    expect(view.begunMs).toEqual({ devices: 60_000, components: 60_000 })
    expect(view.used?.energy.cpu?.value).toBe(4)
    expect(view.used?.emissions.value).toBe(4)
    expect(view.devices?.get('measured package-0')).toBe(4)
    expect(view.unattributed?.energy.cpu?.value).toBeCloseTo(8 / 3, 9)
  })

  it('never falls, however often it is hidden and shown', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.double({ min: 0, max: 100, noNaN: true }), fc.boolean()), { minLength: 2 }),
        (steps) => {
          const share = new HostShare(both)
          share.settle(reporting(true), counted(0))
          let [energy, shown] = [0, 0]
          for (const [more, isReporting] of steps) {
            energy += more
            share.settle(reporting(isReporting), counted(energy))
            const now = share.view(counted(energy)).devices?.get('measured package-0') ?? shown
            expect(now).toBeGreaterThanOrEqual(shown)
            shown = now
          }
        },
      ),
    )
  })

  it('has a counter of its own for each way in which a device was read', () => {
    const share = new HostShare(both)
    share.settle(reporting(true), counted(0))
    const { domains, ...rest } = counted(1001)
    const earlier = [{ method: 'measured', energy: joules(1000) }] as const
    const changed = domains.map((reading) => ({ ...reading, method: 'integrated' as const, earlier }))
    expect([...(share.view({ ...rest, domains: changed }).devices ?? [])]).toEqual([
      ['measured package-0', 1000],
      ['integrated package-0', 1],
    ])
  })

  it('is its own in process mode, but for the devices', () => {
    const share = new HostShare(['devices'])
    share.settle(reporting(false), counted(0))
    const view = share.view(counted(9))
    expect(view.reports).toEqual({ devices: false })
    expect(view.devices).toBeUndefined()
    expect(view.used).toEqual(counted(9).used)
  })

  test('adds up to what the machine used, whoever tells it when, and no counter falls', () => {
    const step = fc.record({ used: fc.nat(1000), reporter: fc.nat(3) })
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 40 }), (steps) => {
        const runs = [0, 1, 2, 3].map(() => ({ share: new HostShare(both), shown: [] as number[] }))
        let total = 0
        const settle = (reporter: number): void => {
          for (const [index, { share }] of runs.entries()) {
            share.settle(reporting(index === reporter), counted(total))
          }
        }
        settle(0)
        for (const { used, reporter } of steps) {
          total += used
          for (const { share, shown } of runs) {
            const value = share.view(counted(total)).used?.energy.cpu?.value
            if (value !== undefined) shown.push(value)
          }
          settle(reporter)
        }
        for (const { shown } of runs) expect(shown).toEqual(shown.toSorted((a, b) => a - b))
        expect(runs.reduce((sum, { shown }) => sum + (shown.at(-1) ?? 0), 0)).toBe(total)
      }),
    )
  })
})
