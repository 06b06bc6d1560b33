import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { deployFolder, grafanaFolder, rules } from '../fixtures/operations.ts'
import { isInstalled } from '../fixtures/programs/prometheus.ts'
import { temporaryFolder } from '../fixtures/programs/temporary-folder.ts'

const run = (program: string, ...args: readonly string[]): string =>
  execFileSync(program, args, { encoding: 'utf8', stdio: 'pipe' })

const hasPromtool = isInstalled('promtool')
if (!hasPromtool) console.log('Skipped: the configuration of Prometheus. It needs promtool.')

it.runIf(hasPromtool)('Prometheus takes its configuration, with the rules beside it', () => {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'rules'))
  cpSync(join(deployFolder, 'prometheus/prometheus.yml'), join(folder, 'prometheus.yml'))
  cpSync(join(grafanaFolder, 'rules/codecarbon.rules.yml'), join(folder, 'rules/codecarbon.rules.yml'))
  const said = run('promtool', 'check', 'config', join(folder, 'prometheus.yml'))
  expect(said).toContain('1 rule files found')
  expect(said).toContain(`${rules.length} rules found`)
})

const hasSystemd = isInstalled('systemd-analyze')
if (!hasSystemd) console.log('Skipped: the unit of systemd. It needs systemd-analyze.')

it.runIf(hasSystemd)('systemd takes the unit where a capability stands in for the group', () => {
  const folder = temporaryFolder()
  const unit = join(folder, 'codecarbon.service')
  cpSync(join(deployFolder, 'systemd/codecarbon.service'), unit)
  mkdirSync(`${unit}.d`)
  cpSync(join(deployFolder, 'systemd/capability.conf'), join(`${unit}.d`, 'capability.conf'))
  expect(run('systemd-analyze', 'verify', unit)).toBe('')
})

const hasSysusers = hasSystemd && isInstalled('systemd-sysusers')

it.runIf(hasSysusers)('systemd makes the group that may read the counters', () => {
  const system = temporaryFolder()
  mkdirSync(join(system, 'etc'))
  run(
    'systemd-sysusers',
    `--root=${system}`,
    '--inline',
    readFileSync(join(deployFolder, 'systemd/codecarbon.sysusers.conf'), 'utf8')
      .split('\n')
      .find((line) => line.startsWith('g ')) ?? '',
  )
  expect(readFileSync(join(system, 'etc/group'), 'utf8')).toMatch(/^rapl:/m)
})

it.runIf(hasSystemd)('systemd takes its unit, and finds little that it could do wrong', () => {
  const unit = join(deployFolder, 'systemd/codecarbon.service')
  expect(run('systemd-analyze', 'verify', unit)).toBe('')
  // In tenths of an exposure between 0, safe, and 10. It fails above.
  run('systemd-analyze', 'security', '--offline=true', '--threshold=18', unit)
})
