import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fakeCounter, fakeSysfs } from '../fixtures/fake-sysfs.ts'
import { canHaveHosts, startNetwork, type NetworkOfHosts } from '../fixtures/network-of-hosts.ts'
import { rulesFile } from '../fixtures/operations.ts'
import { cliPath, runCli, startProgram } from '../fixtures/programs/child.ts'
import { isInstalled, startPrometheus, until } from '../fixtures/programs/prometheus.ts'
import { temporaryFolder } from '../fixtures/programs/temporary-folder.ts'

const isRun = isInstalled('prometheus') && canHaveHosts()
if (!isRun) {
  console.log(
    'Skipped: three hosts under one Prometheus. It needs Linux, prometheus, unshare, nsenter, ip, and the right to make networks.',
  )
}

interface Host {
  readonly name: string
  readonly cpuWatts: number
  readonly ramWatts: number
  readonly pue: number
}

const hosts: readonly Host[] = [
  { name: 'rack-1', cpuWatts: 120, ramWatts: 20, pue: 1 },
  { name: 'rack-2', cpuWatts: 45, ramWatts: 10, pue: 1.2 },
  { name: 'rack-3', cpuWatts: 260, ramWatts: 40, pue: 1.5 },
]
const powerOf = ({ cpuWatts, ramWatts, pue }: Host): number => (cpuWatts + ramWatts) * pue
const watts = hosts.reduce((sum, host) => sum + powerOf(host), 0)
const port = 12_044

/** A monitor on a host whose processor's counter rises by the known watts. @returns where it is scraped */
function startMonitor(
  network: NetworkOfHosts,
  folder: string,
  { name, cpuWatts, ramWatts, pue }: Host,
): string {
  const sysfs = fakeSysfs()
  const counter = fakeCounter(sysfs, { folder: 'class/powercap/intel-rapl:0' })
  const own = join(folder, name)
  mkdirSync(own, { recursive: true })
  startProgram('counts-energy.js', [join(sysfs.path, counter.energyFile), String(cpuWatts)], { folder: own })
  network.start(
    name,
    process.execPath,
    [
      ...[cliPath, 'monitor', '--offline', '--country-iso-code', 'FRA', '--measure-power-secs', '1'],
      ...['--project-name', name, '--force-ram-power', String(ramWatts), '--pue', String(pue)],
      ...[
        '--prometheus-host',
        '0.0.0.0',
        '--prometheus-port',
        String(port),
        '--output-methods',
        'prometheus_pull',
      ],
    ],
    // What one host holds against a second monitor is not in the way of another host.
    { folder: own, env: { CODECARBON_SYSFS_PATH: sysfs.path, XDG_RUNTIME_DIR: own, TMPDIR: own }, input: '' },
  )
  return `${network.addressOf(name)}:${port}`
}

const within = (share: number, value: number, expected: number): void => {
  expect(Math.abs(value / expected - 1), `${value} is not ${expected}`).toBeLessThan(share)
}

describe.skipIf(!isRun)('three hosts under one Prometheus', () => {
  it('sum up, also where one of them was cut off for a while', { timeout: 240_000 }, async () => {
    const folder = temporaryFolder()
    const network = await startNetwork(
      folder,
      hosts.map(({ name }) => name),
    )
    const targets = hosts.map((host) => startMonitor(network, folder, host))
    const prometheus = await startPrometheus(
      folder,
      { codecarbon: targets },
      { ruleFiles: [rulesFile], flags: ['--log.level=error'], elsewhere: network },
    )
    const energy = 'codecarbon_component_energy_joules_total'
    const [, second = ''] = targets
    // Counters are up to a second old, which is a sixtieth of the rate.
    await prometheus.has(`count(count_over_time(codecarbon_pue_ratio[90s]) >= 65) == ${hosts.length}`)
    expect(await prometheus.number('sum(up)')).toBe(hosts.length)
    // Nothing was held up for so long that a counter seemed to leap.
    expect(await prometheus.query('codecarbon_source_errors_total > 0')).toEqual([])

    const rate = (seconds: number, instance = '.+'): Promise<number> =>
      prometheus.number(`sum(rate(${energy}{instance=~"${instance}"}[${seconds}s]))`)
    within(0.03, await rate(60), watts)
    for (const [index, host] of hosts.entries()) {
      within(0.03, await rate(60, targets[index]), powerOf(host))
      within(
        0.03,
        await prometheus.number(`sum(rate(hw_energy_joules_total{instance="${targets[index]}"}[60s]))`),
        host.cpuWatts + host.ramWatts,
      )
    }
    // The rules are of five minutes, of which there is one: they agree with each other and with what they stand for.
    const [fleet, instances, now] = await Promise.all(
      [
        'fleet:codecarbon_power_watts:rate5m',
        'sum(instance:codecarbon_power_watts:rate5m)',
        `sum(rate(${energy}[5m]))`,
      ].map((expr) => prometheus.number(expr)),
    )
    within(0.02, fleet ?? Number.NaN, instances ?? Number.NaN)
    within(0.05, fleet ?? Number.NaN, now ?? Number.NaN)
    expect(await prometheus.number('count(instance:codecarbon_power_watts:rate5m)')).toBe(hosts.length)
    within(
      0.001,
      await prometheus.number('fleet:codecarbon_measured_share:ratio_rate5m'),
      await prometheus.number(
        `sum(rate(${energy}{method="measured"}[5m])) / sum(rate(${energy}{component!="overhead"}[5m]))`,
      ),
    )

    const begin = Date.now()
    network.plug('rack-2', false)
    await prometheus.has(`up{instance="${second}"} == 0`)
    await until(() => Promise.resolve(Date.now() - begin > 15_000))
    expect(await prometheus.number('sum(up)')).toBe(hosts.length - 1)
    network.plug('rack-2', true)
    await prometheus.has(`sum(up) == ${hosts.length}`)
    await prometheus.has(`min_over_time(up{instance="${second}"}[10s]) == 1`)
    // The counter has gone on meanwhile: over a time that holds the gap, nothing is missing.
    within(0.03, await rate(60, second), powerOf(hosts[1] as Host))
    within(0.03, await rate(60), watts)

    const end = Math.floor(Date.now() / 1000) - 1
    const { code, stdout, stderr } = await runCli(
      [
        'report',
        '--from-prometheus',
        prometheus.url,
        '--range',
        '10m',
        '--until',
        String(end),
        '--by',
        'instance',
        '--json',
      ],
      { folder },
    )
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const { total, groups } = JSON.parse(stdout) as {
      total: { runs: number }
      groups: { instance: string; energy_kwh: number; measured_share: number }[]
    }
    expect(total.runs).toBe(hosts.length)
    for (const [index, host] of hosts.entries()) {
      const group = groups.find(({ instance }) => instance === targets[index])
      // All of it: the counters began with these runs.
      const counted = await prometheus.number(`sum(${energy}{instance="${targets[index]}"} @ ${end})`)
      within(1e-6, (group?.energy_kwh ?? Number.NaN) * 3.6e6, counted)
      expect(group?.measured_share).toBeCloseTo(host.cpuWatts / (host.cpuWatts + host.ramWatts), 1)
    }
  })
})
