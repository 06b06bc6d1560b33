import { execFileSync, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { stringify } from 'yaml'
import { metricTable, prometheusName } from '../../src/exporters/metrics.ts'
import { fakeCounter, fakeSysfs } from '../fixtures/fake-sysfs.ts'
import { asSent, dashboards, expressions, rules, rulesFile } from '../fixtures/operations.ts'
import { startCli, startProgram, type Child } from '../fixtures/programs/child.ts'
import { freePort, isInstalled, startPrometheus, until } from '../fixtures/programs/prometheus.ts'
import { temporaryFolder } from '../fixtures/programs/temporary-folder.ts'

const isRun = isInstalled('prometheus', 'promtool')
if (!isRun) {
  console.log(
    'Skipped: a real Prometheus. It needs prometheus and promtool, of the package prometheus of Debian.',
  )
}

const joulesPerKilowattHour = 3.6e6

/** Works until the run that tracks it is gone, whichever way. */
const busyWhileTracked = 'const parent = process.ppid; while (process.ppid === parent);'

interface Machine {
  readonly cpuWatts: number
  readonly ramWatts: number
  readonly pue: number
}

interface Monitor {
  readonly child: Child
  /** Where it is scraped. */
  readonly target: string
}

/** A monitor on known watts, by default as on a machine of its own. */
async function startMonitor(
  folder: string,
  { cpuWatts, ramWatts, pue }: Machine,
  group = folder,
): Promise<Monitor> {
  const port = await freePort()
  const child = startCli(
    [
      ...['monitor', '--offline', '--country-iso-code', 'FRA', '--measure-power-secs', '1'],
      // Constant is half of the TDP.
      ...['--cpu-power-model', 'constant', '--force-cpu-power', String(2 * cpuWatts)],
      ...['--force-ram-power', String(ramWatts), '--pue', String(pue)],
      ...['--prometheus-port', String(port), '--output-methods', 'prometheus_pull'],
      ...['--host-reporter-group', group],
    ],
    { folder, input: '' },
  )
  return { child, target: `127.0.0.1:${port}` }
}

const within = (share: number, value: number, expected: number): void => {
  expect(Math.abs(value / expected - 1), `${value} is not ${expected}`).toBeLessThan(share)
}

/** The text of an endpoint that is up. */
async function textOf(target: string): Promise<string> {
  let text = ''
  await until(async () => {
    text = (await (await fetch(`http://${target}/metrics`).catch(() => undefined))?.text()) ?? ''
    return text.includes('codecarbon_component_energy_joules_total{')
  })
  return text
}

describe.skipIf(!isRun)('Prometheus', () => {
  it('sees the known watts of three monitors, their grams, and the sum', { timeout: 180_000 }, async () => {
    const folder = temporaryFolder()
    const machines: readonly Machine[] = [
      { cpuWatts: 100, ramWatts: 20, pue: 1 },
      { cpuWatts: 30, ramWatts: 10, pue: 1 },
      { cpuWatts: 200, ramWatts: 40, pue: 1.5 },
    ]
    const monitors = await Promise.all(
      machines.map((machine, index) => startMonitor(join(folder, String(index)), machine)),
    )
    const targets = monitors.map(({ target }) => target)
    await Promise.all(targets.map(textOf))
    const prometheus = await startPrometheus(folder, { codecarbon: targets })
    // Counters are up to a second old, which is a sixtieth of the rate.
    await until(async () => {
      const counted = await prometheus.query('count_over_time(codecarbon_pue_ratio[90s]) >= 65')
      return counted.length === machines.length
    })

    const { activeTargets } = (await prometheus.api('targets')) as { activeTargets: object[] }
    expect(activeTargets).toMatchObject(targets.map(() => ({ health: 'up', lastError: '' })))
    expect(await prometheus.number('min(min_over_time(up[60s]))')).toBe(1)

    const energy = 'codecarbon_component_energy_joules_total'
    for (const [index, { cpuWatts, ramWatts, pue }] of machines.entries()) {
      const here = `instance="${targets[index]}"`
      const rateOf = (component: string): Promise<number> =>
        prometheus.number(`sum(rate(${energy}{${here}, component="${component}"}[60s]))`)
      within(0.03, await rateOf('cpu'), cpuWatts)
      within(0.03, await rateOf('ram'), ramWatts)
      within(0.03, await prometheus.number(`sum(rate(${energy}{${here}}[60s]))`), (cpuWatts + ramWatts) * pue)
      within(
        0.03,
        await prometheus.number(`sum(rate(hw_energy_joules_total{${here}}[60s]))`),
        cpuWatts + ramWatts,
      )

      const joules = await prometheus.number(`sum(increase(${energy}{${here}}[60s]))`)
      const grams = await prometheus.number(`sum(increase(codecarbon_emissions_grams_total{${here}}[60s]))`)
      const intensity = await prometheus.number(`codecarbon_carbon_intensity_grams_per_kWh{${here}}`)
      within(0.03, grams, (joules / joulesPerKilowattHour) * intensity)
    }
    const whole = machines.reduce((sum, { cpuWatts, ramWatts, pue }) => sum + (cpuWatts + ramWatts) * pue, 0)
    within(0.03, await prometheus.number(`sum(rate(${energy}[60s]))`), whole)
  })

  it(
    'counts a machine once that two monitors track, also when the one that tells of it is killed',
    { timeout: 180_000 },
    async () => {
      const folder = temporaryFolder()
      const machine: Machine = { cpuWatts: 100, ramWatts: 20, pue: 1 }
      const first = await startMonitor(join(folder, 'first'), machine, folder)
      await textOf(first.target)
      const second = await startMonitor(join(folder, 'second'), machine, folder)
      const prometheus = await startPrometheus(folder, { codecarbon: [first.target, second.target] })
      const energy = 'codecarbon_component_energy_joules_total'
      await prometheus.has(
        'count(count_over_time(codecarbon_host_reporter{series="components"}[90s]) >= 65) == 2',
      )
      within(0.03, await prometheus.number(`sum(rate(${energy}[60s]))`), 120)
      within(0.03, await prometheus.number('sum(codecarbon_component_power_watts)'), 120)
      expect(await prometheus.number('sum(codecarbon_host_reporter{series="components"})')).toBe(1)
      const hidden = `{instance="${second.target}"}`
      expect(await prometheus.query(`{__name__=~"hw_.+", instance="${second.target}"}`)).toEqual([])
      expect(await prometheus.query(`${energy}${hidden}`)).toEqual([])
      expect(await prometheus.query(`codecarbon_run_info${hidden}`)).toHaveLength(1)

      first.child.process.kill('SIGKILL')
      await prometheus.has(`count_over_time(codecarbon_component_power_watts${hidden}[1m]) >= 20`)
      // Over the death: what passes between some scrapes is lost, and nothing is counted twice, in counters that are a second old at most.
      const seconds = 30
      const joules = await prometheus.number(`sum(increase(${energy}[${seconds}s]))`)
      expect(joules).toBeLessThan(120 * (seconds + 2))
      expect(joules).toBeGreaterThan(120 * (seconds - 4))
      await prometheus.has(`rate(${energy}{component="cpu", instance="${second.target}"}[20s]) > 97 < 103`)
    },
  )

  it(
    'has data for every expression of the dashboards and rules whose series there can be',
    { timeout: 180_000 },
    async () => {
      const folder = temporaryFolder()
      const sysfs = fakeSysfs()
      const processor = fakeCounter(sysfs, { folder: 'class/powercap/intel-rapl:0' })
      sysfs.write('class/powercap/intel-rapl:0/constraint_0_max_power_uw', '65000000\n')
      const platform = fakeCounter(sysfs, { folder: 'class/powercap/intel-rapl:1', name: 'psys' })
      const timer = setInterval(() => {
        processor.spend(2)
        platform.spend(4)
      }, 50)
      onTestFinished(() => {
        clearInterval(timer)
      })
      const [program, run] = [await freePort(), await freePort()]
      const env = { CODECARBON_SYSFS_PATH: sysfs.path }
      startProgram('serves-metrics.js', [String(program)], {
        folder: join(folder, 'program'),
        env: { ...env, CODECARBON_HOST_REPORTER_GROUP: join(folder, 'program') },
      })
      startCli(
        [
          ...['run', '--offline', '--country-iso-code', 'FRA', '--measure-power-secs', '0.2'],
          ...[
            '--force-ram-power',
            '20',
            '--prometheus-port',
            String(run),
            '--',
            process.execPath,
            '-e',
            busyWhileTracked,
          ],
        ],
        {
          folder: join(folder, 'run'),
          env: { ...env, CODECARBON_HOST_REPORTER_GROUP: join(folder, 'run') },
          input: '',
        },
      )
      const jobs = { program: [`127.0.0.1:${program}`], run: [`127.0.0.1:${run}`] }
      await Promise.all(Object.values(jobs).flat().map(textOf))
      const prometheus = await startPrometheus(folder, jobs, { ruleFiles: [rulesFile] })
      await prometheus.has('codecarbon_component_energy_joules_total{method="measured"}')
      processor.fail()
      await prometheus.has('codecarbon_source_errors_total')
      processor.repair()
      await prometheus.has('codecarbon_gap_seconds_total')
      await prometheus.has('count_over_time(codecarbon_gap_seconds_total[1m]) > 10')

      const alerts = rules.flatMap(({ alert }) => alert ?? [])
      // These have their values in the test below: there is no graphics card, no week ago and, but at its turn, no hour.
      const elsewhere = (where: string): boolean =>
        /^(hardware\.json, panel 13|tasks\.json, panel 22|planning\.json, panel 25) /.test(where)
      const asked = expressions.filter(({ where }) => !alerts.includes(where) && !elsewhere(where))
      let empty = asked
      const askAgain = async (): Promise<string[]> => {
        const answers = await Promise.all(
          empty.map(async (one) => ({
            one,
            answer: await prometheus.query(asSent(one.expr, { range: '1m', step: '10s' })),
          })),
        )
        empty = answers.filter(({ answer }) => answer.length === 0).map(({ one }) => one)
        return empty.map(({ where }) => where)
      }
      // A gauge may be missing from a scrape: the counter was read while the test wrote it.
      await expect
        .poll(askAgain, { timeout: 20_000, interval: 1000 })
        .toEqual(['instance:codecarbon_live_intensity_timestamp_seconds:max1d'])

      const { groups } = (await prometheus.api('rules')) as { groups: { rules: object[] }[] }
      const loaded = groups.flatMap((group) => group.rules)
      expect(loaded).toHaveLength(rules.length)
      expect(loaded).toMatchObject(rules.map(() => ({ health: 'ok' })))
    },
  )

  it('has no complaint about the text but the name of one unit', async () => {
    const { target } = await startMonitor(temporaryFolder(), { cpuWatts: 100, ramWatts: 20, pue: 1.5 })
    const text = await textOf(target)
    const { stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' })
    // The unit of electricity is spelled so, and the Collector makes the same name of it.
    expect(`${stdout}${stderr}`.trim().split('\n')).toEqual([
      "codecarbon_carbon_intensity_grams_per_kWh metric names should be written in 'snake_case' not 'camelCase'",
    ])
  })
})

describe.skipIf(!isRun)('promtool', () => {
  const promtool = (...args: readonly string[]): string =>
    execFileSync('promtool', args, { encoding: 'utf8', stdio: 'pipe' })

  it('finds the rules right, and their tests pass', () => {
    expect(promtool('check', 'rules', rulesFile)).toContain(`${rules.length} rules found`)
    expect(promtool('test', 'rules', join(dirname(rulesFile), 'codecarbon.test.yml'))).toContain('SUCCESS')
  })

  it('works out what the dashboards ask of graphics cards, of the hours of a day and of a week ago', () => {
    const exprOf = (file: string, id: number, index = 0): string => {
      const [, dashboard] = dashboards.find(([name]) => name === file) ?? []
      const expr = dashboard?.panels.find((panel) => panel.id === id)?.targets[index]?.expr
      return asSent(expr ?? expect.fail(`${file} has no panel ${id} with so many queries`), { range: '24h' })
    }
    const here = 'job="j", instance="i"'
    const file = join(temporaryFolder(), 'dashboards.test.yml')
    const value = (expr: string, eval_time: string, labels: string, value: number): object => ({
      expr: `round(${expr}, 0.001)`,
      eval_time,
      exp_samples: [{ labels, value }],
    })
    writeFileSync(
      file,
      stringify({
        evaluation_interval: '1m',
        tests: [
          {
            interval: '10m',
            input_series: [
              // 6 g from 3:00 to 4:00 of the first day, and 1 g from 23:30 to 0:00.
              {
                series: `codecarbon_emissions_grams_total{${here}, component="cpu", basis="location"}`,
                values: '0x18 1+1x5 6x116 6.5+0.5x1 7x1000',
              },
              { series: `hw_power_watts{${here}, hw_type="gpu", hw_id="GPU-1"}`, values: '250x144' },
              { series: `hw_gpu_utilization_ratio{${here}, hw_id="GPU-1"}`, values: '0.75x144' },
            ],
            promql_expr_test: [
              value(exprOf('planning.json', 25, 2), '24h', '{}', 0),
              value(exprOf('planning.json', 25, 3), '24h', '{}', 6),
              value(exprOf('planning.json', 25, 4), '24h', '{}', 0),
              value(exprOf('hardware.json', 13, 0), '1h', `{${here}, hw_id="GPU-1"}`, 250),
              value(exprOf('hardware.json', 13, 1), '1h', `{${here}, hw_id="GPU-1"}`, 0.75),
            ],
          },
          {
            // A week of 2 g per unit, of which 1 g is embodied; then units that emit half as much in operation.
            interval: '1h',
            input_series: [
              {
                series: `codecarbon_emissions_grams_total{${here}, component="cpu", basis="location"}`,
                values: '0+10x168 1685+5x100',
              },
              {
                series: `codecarbon_embodied_emissions_grams_total{${here}, component="machine"}`,
                values: '0+10x268',
              },
              {
                series: `codecarbon_functional_units_total{${here}, unit_name="request"}`,
                values: '0+10x268',
              },
            ],
            promql_expr_test: [
              value(exprOf('tasks.json', 21), '7d', `{${here}, unit_name="request"}`, 2),
              value(exprOf('tasks.json', 21), '9d', `{${here}, unit_name="request"}`, 1.5),
              value(exprOf('tasks.json', 22), '9d', `{${here}, unit_name="request"}`, 0.75),
            ],
          },
        ],
      }),
    )
    expect(promtool('test', 'rules', file)).toContain('SUCCESS')
  })

  it('finds the trace of a task by the exemplar of its histogram', async () => {
    const folder = temporaryFolder()
    const port = await freePort()
    const program = startProgram('serves-traces.js', [String(port)], { folder })
    await program.printed('trace ')
    const prometheus = await startPrometheus(
      folder,
      { codecarbon: [`127.0.0.1:${port}`] },
      { flags: ['--enable-feature=exemplar-storage'] },
    )
    await prometheus.has('codecarbon_task_energy_joules_count{task="answer"} >= 2')
    interface Found {
      readonly seriesLabels: Readonly<Record<string, string>>
      readonly exemplars: readonly { readonly labels: Readonly<Record<string, string>> }[]
    }
    const traces = async (metric: string): Promise<unknown[]> => {
      const expr = encodeURIComponent(`${metric}_bucket{task="answer"}`)
      const now = Date.now() / 1000
      const found = await prometheus.api(`query_exemplars?query=${expr}&start=${now - 60}&end=${now + 60}`)
      return (found as Found[]).flatMap(({ exemplars }) => exemplars.map(({ labels }) => labels['trace_id']))
    }
    for (const spec of [metricTable.taskEnergy, metricTable.taskEmissions, metricTable.taskDuration]) {
      await until(async () => (await traces(prometheusName(spec))).length > 0)
    }
    program.process.stdin.end()
    const { stdout } = await program.ended
    const [, id] = /trace ([0-9a-f]{32})/.exec(stdout) ?? []
    expect(new Set(await traces(prometheusName(metricTable.taskEnergy)))).toEqual(new Set([id]))
  })
})
