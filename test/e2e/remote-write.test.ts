import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { deployFolder, rulesFile } from '../fixtures/operations.ts'
import { runCli, startChild, startCli } from '../fixtures/programs/child.ts'
import { freePort, isInstalled, startPrometheus } from '../fixtures/programs/prometheus.ts'
import { temporaryFolder } from '../fixtures/programs/temporary-folder.ts'

const isRun = isInstalled('prometheus', 'promtool')
if (!isRun)
  console.log('Skipped: remote write. It needs prometheus and promtool, of the package prometheus of Debian.')

/** The configuration as it is shipped, with what is only shown in it turned on. */
const shipped = readFileSync(join(deployFolder, 'prometheus/prometheus.yml'), 'utf8').replace(
  /^# remote_write:\n(?:# .*\n?)+/m,
  (comment) => comment.replaceAll(/^# /gm, ''),
)

describe.skipIf(!isRun)('the configuration of Prometheus, with remote write', () => {
  it('hands the figures of a machine to the Prometheus of the fleet, where the statement is made of them', async () => {
    const folder = temporaryFolder()
    const fleet = await startPrometheus(folder, {}, { flags: ['--web.enable-remote-write-receiver'] })
    const [scraped, local] = [await freePort(), await freePort()]
    startCli(
      [
        ...[
          'monitor',
          '--offline',
          '--country-iso-code',
          'FRA',
          '--measure-power-secs',
          '1',
          '--project-name',
          'rack',
        ],
        ...['--cpu-power-model', 'constant', '--force-cpu-power', '200', '--force-ram-power', '20'],
        ...['--prometheus-port', String(scraped), '--output-methods', 'prometheus_pull'],
      ],
      { folder: join(folder, 'monitor'), input: '' },
    )
    const home = join(folder, 'local')
    mkdirSync(join(home, 'rules'), { recursive: true })
    cpSync(rulesFile, join(home, 'rules/codecarbon.rules.yml'))
    const config = join(home, 'prometheus.yml')
    writeFileSync(
      config,
      shipped
        .replaceAll('15s', '1s')
        .replace('127.0.0.1:12044', `127.0.0.1:${scraped}`)
        .replace('https://prometheus.example', fleet.url),
    )
    expect(execFileSync('promtool', ['check', 'config', config], { encoding: 'utf8' })).toContain('SUCCESS')
    startChild(
      'prometheus',
      [
        `--config.file=${config}`,
        `--storage.tsdb.path=${join(home, 'data')}`,
        `--web.listen-address=127.0.0.1:${local}`,
      ],
      { folder: home, input: '' },
    )
    await fleet.has('count_over_time(codecarbon_pue_ratio{job="codecarbon"}[60s]) >= 20')
    await fleet.has('instance:codecarbon_power_watts:rate5m')
    // What is not of CodeCarbon stays where it is.
    expect(await fleet.query('{__name__=~"up|scrape_.+|go_.+"}')).toEqual([])

    const { code, stdout, stderr } = await runCli(
      ['report', '--from-prometheus', fleet.url, '--range', '5m', '--json'],
      { folder },
    )
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const { projects } = JSON.parse(stdout) as {
      projects: { project_name: string; energy_kwh: number; runs: number }[]
    }
    const joules = await fleet.number('sum(codecarbon_component_energy_joules_total)')
    expect(projects).toMatchObject([{ project_name: 'rack', runs: 1 }])
    const counted = (projects[0]?.energy_kwh ?? Number.NaN) * 3.6e6
    // Asked a few seconds later, at 120 W.
    expect(counted).toBeLessThan(joules + 0.01)
    expect(joules - counted).toBeLessThan(120 * 10)
  })
})
