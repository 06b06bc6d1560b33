import { describe, expect, test } from 'vitest'
import { ProbeUnavailable } from '../../src/core/errors.ts'
import { createAmdEnergyProbe, type AmdEnergyOptions } from '../../src/probes/amd-energy.ts'
import { itIsAProbeOfACounter } from '../contract/probe.ts'
import { asNobody } from '../fixtures/as-nobody.ts'
import { fakeMonitor, timed, type FakeMonitor } from '../fixtures/fake-hwmon.ts'
import { fakeSysfs, type FakeTree } from '../fixtures/fake-sysfs.ts'
import { amdEnergy } from '../fixtures/monitors.ts'

const open = (sysfs: FakeTree, options: Omit<AmdEnergyOptions, 'sysfsPath'> = {}) =>
  timed(createAmdEnergyProbe({ sysfsPath: sysfs.path, ...options }))

/** CPU N is core N; the first two are of socket 0. */
function twoSockets(): { sysfs: FakeTree; monitor: FakeMonitor } {
  const sysfs = fakeSysfs()
  for (const cpu of [0, 1, 2, 3]) {
    sysfs.write(`devices/system/cpu/cpu${cpu}/topology/physical_package_id`, `${cpu < 2 ? 0 : 1}\n`)
  }
  return { sysfs, monitor: fakeMonitor(sysfs, amdEnergy) }
}

itIsAProbeOfACounter('amd_energy with cores', ({ counterJoules }) => {
  const { sysfs, monitor } = twoSockets()
  let energy = counterJoules
  const spend = (joules: number): void => {
    energy += joules
    for (const channel of [5, 6]) monitor.set(`energy${channel}_input`, energy * 1e6)
    for (const channel of [1, 2, 3, 4]) monitor.set(`energy${channel}_input`, Math.round(energy * 2e5))
  }
  spend(0)
  return {
    ...open(sysfs, { includeCores: true }),
    work: (time) => {
      spend(120 * time)
    },
    counter: {
      domain: 'package-1',
      spend,
      fail: () => {
        monitor.breakFile('energy6_input')
      },
      repair: () => {
        spend(0)
      },
    },
  }
})

describe('what amd_energy counts', () => {
  test('the sockets are the processor', () => {
    const { sysfs, monitor } = twoSockets()
    const { probe, read } = open(sysfs)
    read()
    monitor.set('energy5_input', 31_000_000)
    monitor.set('energy6_input', 21_000_000)
    const { readings } = read()
    expect(readings.map(({ domain, energy, parent }) => [domain, energy, parent])).toEqual([
      ['package-0', 30, undefined],
      ['package-1', 20, undefined],
    ])
    expect(readings.every(({ method, component }) => method === 'measured' && component === 'cpu')).toBe(true)
    expect(probe.components).toEqual(['cpu'])
  })

  test('cores are parts of their sockets, where they are asked for', () => {
    const { sysfs } = twoSockets()
    const { readings } = open(sysfs, { includeCores: true }).read()
    expect(
      readings.filter(({ kind }) => kind === 'core').map(({ domain, parent }) => [domain, parent]),
    ).toEqual([
      ['core-0', 'package-0'],
      ['core-1', 'package-0'],
      ['core-2', 'package-1'],
      ['core-3', 'package-1'],
    ])
  })

  test('a core of which nobody knows the socket is left out', () => {
    const { sysfs } = twoSockets()
    sysfs.remove('devices/system/cpu/cpu3')
    const { readings } = open(sysfs, { includeCores: true }).read()
    expect(readings.map(({ domain }) => domain)).not.toContain('core-3')
  })

  test('a socket whose counter stands still has none', () => {
    const { sysfs, monitor } = twoSockets()
    const { read } = open(sysfs)
    read()
    let last = read()
    for (let time = 0; time < 12; time += 1) {
      monitor.set('energy5_input', 2_000_000 + time * 1e6)
      last = read()
    }
    expect(last.readings.map(({ domain }) => domain)).toEqual(['package-0'])
    expect(last.problems).toMatchObject([{ code: 'ERR_PROBE_READ', subject: 'package-1' }])
  })
})

describe('where amd_energy cannot be used', () => {
  const refusal = (sysfs: FakeTree): ProbeUnavailable => {
    try {
      createAmdEnergyProbe({ sysfsPath: sysfs.path }).close?.()
    } catch (error) {
      if (error instanceof ProbeUnavailable) return error
    }
    throw new Error('the probe was opened')
  }

  test('without the module, it is named', () => {
    expect(refusal(fakeSysfs()).remedy).toContain('modprobe amd_energy')
  })

  test('where root alone may read it, the remedy gives this user the right', () => {
    const { sysfs, monitor } = twoSockets()
    for (const channel of [1, 2, 3, 4, 5, 6]) sysfs.chmod(`${monitor.folder}/energy${channel}_input`, 0o400)
    const { message, remedy } = asNobody(() => refusal(sysfs))
    expect(message).toContain('root only')
    expect(remedy).toContain('chmod a+r')
    expect(remedy).toContain('energy*_input')
  })
})
