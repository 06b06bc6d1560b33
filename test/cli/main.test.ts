import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { optionSpecs } from '../../src/config/option-table.ts'
import { toFlag } from '../../src/config/spelling.ts'
import { cliPath, runCli, startChild, type Ended } from '../fixtures/programs/child.ts'
import { freePort } from '../fixtures/programs/prometheus.ts'
import { temporaryFolder } from '../fixtures/programs/temporary-folder.ts'
import { table, tableFile } from '../fixtures/smbios.ts'
import { fakeMachine } from '../tracker/fake-machine.ts'

let folder: string

beforeEach(() => {
  folder = temporaryFolder()
})

const cli = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> =>
  runCli(args, { folder, env })

describe('the program', () => {
  it.each([[['--help']], [['-h']], [[]]])('explains itself: %j', async (args) => {
    const { code, stdout, stderr } = await cli(args)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^Usage: codecarbon/)
    for (const command of ['run', 'detect']) expect(stdout).toMatch(new RegExp(`^ {2}${command}\\b`, 'm'))
    expect(stdout).not.toContain('\u001B')
  })

  it.each(['--version', '-v'])('tells its version: %s', async (flag) => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
      version: string
    }
    expect(await cli([flag])).toMatchObject({ code: 0, stdout: `${version}\n`, stderr: '' })
  })

  it('ends with 2 at a command that there is not, with the nearest one', async () => {
    const { code, stdout, stderr } = await cli(['detct'])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain('Did you mean detect?')
  })

  it.each([
    [['detect', '--json']],
    [['config', '--all']],
    [['completion', 'bash']],
    [['--help']],
    [['--version']],
  ])('ends quietly where nobody reads what it prints: %j', async (args) => {
    const command = `'${process.execPath}' '${cliPath}' ${args.join(' ')} | true; exit "\${PIPESTATUS[0]}"`
    const { code, stderr } = await startChild('bash', ['-c', command], { folder, input: '' }).ended
    expect(stderr).toBe('')
    expect(code).toBe(0)
  })

  it('ends with one line where what it prints cannot be written', async () => {
    const command = `'${process.execPath}' '${cliPath}' config --all >/dev/full`
    const { code, stderr } = await startChild('sh', ['-c', command], { folder, input: '' }).ended
    expect(code).toBe(1)
    expect(stderr).toMatch(/^codecarbon: stdout cannot be written: .*\n$/)
  })

  it.each([
    [['run', '--country', 'FRA', '--', 'true'], '(Did you mean --country-iso-code?)'],
    [['run', '--mesure-power-secs', '1'], '(Did you mean --measure-power-secs?)'],
    [['run', '--tracking-mode', 'proces', '--', 'true'], 'did you mean process?'],
    [['detect', '--api-kye=sk-secret'], "unknown option '--api-kye'"],
  ])('names what was probably meant, and no secret: %j', async (args, hint) => {
    const { code, stderr } = await cli(args)
    expect(code).toBe(2)
    expect(stderr).toContain(hint)
    expect(stderr).not.toContain('sk-secret')
    expect(stderr.trimEnd().split('\n')).toHaveLength(1)
  })

  it('explains each command and every flag of it', async () => {
    const { code, stdout } = await cli(['run', '--help'])
    expect(code).toBe(0)
    expect(stdout).toContain('-- <command> [arguments...]')
    const flags = new Set(stdout.match(/--[a-z0-9-]+/g))
    for (const name of ['projectName', 'pue', 'forceCarbonIntensityGCo2eKwh', 'sysfsPath'] as const) {
      const [, spec] = optionSpecs.find(([known]) => known === name) ?? expect.fail()
      expect(flags).toContain(toFlag(name))
      expect(stdout.replaceAll(/\s+/g, ' ')).toContain(spec.help)
    }
  })
})

describe('detect', () => {
  it('says what is measured, what is estimated, why, and where', async () => {
    const { code, stdout, stderr } = await cli(['detect', '--country-iso-code', 'FRA'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^cpu +(measured|estimated) by /m)
    expect(stdout).toMatch(/^ram +(measured|estimated) by /m)
    expect(stdout).toMatch(/^Place +France .*configuration/m)
    expect(stdout).toMatch(/^Intensity +[\d.]+ gCO2eq\/kWh, \d{4}/m)
    expect(stdout).not.toMatch(/undefined|null|NaN|\u001B/)
  })

  it('takes the place from the time zone where nobody says it, and says so', async () => {
    // Not from the name of the machine that this test runs on.
    const { stdout } = await cli(['detect', '--locate-by', 'time-zone'], { TZ: 'Europe/Paris' })
    expect(stdout).toMatch(/^Place +France \(found by: time zone\)$/m)
    expect(stdout).toContain('if that is wrong, give --country-iso-code')
    const wrong = await cli(['detect', '--country-iso-code', 'FRX'], { TZ: 'Europe/Paris' })
    expect(wrong.stdout).toMatch(/^Place +unknown/m)
  })

  it('takes the place from what describes the machine to OpenTelemetry, and says so', async () => {
    const attributes = 'cloud.provider=azure,cloud.region=swedencentral'
    const { stdout } = await cli(['detect'], { TZ: 'Europe/Paris', OTEL_RESOURCE_ATTRIBUTES: attributes })
    expect(stdout).toMatch(
      /^Place +Sweden, azure, swedencentral \(found by: environment, OTEL_RESOURCE_ATTRIBUTES\)$/m,
    )
  })

  it('gives the exact remedy where there are no counters, and the reason', async () => {
    const { options } = fakeMachine(join(folder, 'machine'))
    const paths = ['--sysfs-path', join(folder, 'nothing'), '--procfs-path', options.procfsPath]
    const { stdout } = await cli(['detect', ...paths])
    expect(stdout).toMatch(/not rapl: no RAPL counters/)
    expect(stdout).toMatch(/For better figures[^]*sudo modprobe intel_rapl_msr/)
  })

  it('says why a controller that is named tells nothing, and what would help', async () => {
    const { options } = fakeMachine(join(folder, 'machine'))
    const paths = ['--sysfs-path', options.sysfsPath, '--procfs-path', options.procfsPath]
    const port = await freePort()
    const args = ['detect', ...paths, '--redfish-url', `https://127.0.0.1:${port}`]
    const { code, stdout } = await cli(args)
    expect(code).toBe(0)
    expect(stdout).toMatch(
      /^host +unmeasured\n +not redfish: https:\/\/127\.0\.0\.1:\d+: it cannot be reached: the connection was refused$/m,
    )
    expect(stdout).toMatch(/For better figures[^]*redfish: [^\n]*refused\n +see that redfish_url names/)
    const json = JSON.parse((await cli([...args, '--json'])).stdout) as Record<string, unknown>
    expect(json['hosts']).toEqual([])
    expect(json['hosts_refused']).toEqual([
      expect.objectContaining({ probe: 'redfish', reason: expect.stringContaining('refused') }),
    ])
  })

  it('says that a file of certificates is not there, by the name of its option', async () => {
    const named = ['--redfish-url', 'https://bmc.invalid', '--redfish-ca-file', join(folder, 'ca.pem')]
    const { stdout } = await cli(['detect', ...named])
    expect(stdout).toContain(`not redfish: redfish_ca_file: there is no file ${join(folder, 'ca.pem')}`)
  })

  it('tells the memory modules that an estimate stands on', async () => {
    const { options } = fakeMachine(join(folder, 'machine'))
    const tables = join(folder, 'sys', tableFile)
    mkdirSync(dirname(tables), { recursive: true })
    writeFileSync(tables, table([{}, { size: 0 }]))
    const paths = ['--sysfs-path', join(folder, 'sys'), '--procfs-path', options.procfsPath]
    const { stdout } = await cli(['detect', ...paths])
    expect(stdout).toMatch(/^ram +estimated by ram-estimate: 1 module of 16 GiB DDR4 at 3200 MT\/s$/m)
  })

  it('sends nobody after counters that a virtual machine does not have', async () => {
    const { options } = fakeMachine(join(folder, 'machine'))
    const cpuinfo = join(options.procfsPath, 'cpuinfo')
    writeFileSync(cpuinfo, `${readFileSync(cpuinfo, 'utf8')}flags\t\t: fpu sse hypervisor\n`)
    const paths = ['--sysfs-path', join(folder, 'nothing'), '--procfs-path', options.procfsPath]
    const { stdout } = await cli(['detect', ...paths])
    expect(stdout).toMatch(/^Processor .*virtual machine$/m)
    expect(stdout).toMatch(/For better figures[^]*virtual machine/)
    expect(stdout).not.toContain('modprobe')
  })

  it('prints all of it as JSON', async () => {
    const { options } = fakeMachine(join(folder, 'machine'))
    const paths = ['--sysfs-path', options.sysfsPath, '--procfs-path', options.procfsPath]
    const { code, stdout, stderr } = await cli(['detect', '--json', '--country-iso-code', 'FRA', ...paths])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const found = JSON.parse(stdout) as Record<string, unknown>
    expect(found).toMatchObject({
      components: [
        { component: 'cpu', chosen: { probe: 'rapl', method: 'measured' }, refused: [] },
        { component: 'ram', chosen: { probe: 'rapl', method: 'measured' }, refused: [] },
      ],
      cpu: { model: 'Intel(R) Core(TM) i7-8650U CPU @ 1.90GHz', logical_cpus: 4, sockets: 1, tdp_watts: 15 },
      memory_bytes: 16 * 2 ** 30,
      place: {
        country_iso_code: 'FRA',
        region: null,
        cloud_provider: null,
        cloud_region: null,
        found_by: 'configuration',
      },
      intensity: { grams_per_kwh: expect.any(Number) as number, year: expect.any(Number) as number },
    })
  })

  it('tells in JSON what was refused, why, and what would help', async () => {
    const { options } = fakeMachine(join(folder, 'machine'))
    const paths = ['--sysfs-path', join(folder, 'nothing'), '--procfs-path', options.procfsPath]
    const { stdout } = await cli(['detect', '--json', ...paths])
    const { components } = JSON.parse(stdout) as { components: Record<string, unknown>[] }
    expect(components[0]).toMatchObject({
      component: 'cpu',
      chosen: { probe: 'cpu-estimate', method: 'estimated' },
      refused: [
        {
          probe: 'rapl',
          reason: expect.stringContaining('no RAPL counters') as string,
          remedy: expect.stringContaining('modprobe') as string,
        },
      ],
    })
  })

  it('says of a component that nobody can tell that nothing was chosen', async () => {
    const nothing = ['--sysfs-path', join(folder, 'nothing'), '--procfs-path', join(folder, 'nothing')]
    const { stdout } = await cli(['detect', '--json', ...nothing])
    const { components } = JSON.parse(stdout) as { components: { component: string; chosen: unknown }[] }
    expect(components.find(({ component }) => component === 'ram')?.chosen).toBeNull()
    expect((await cli(['detect', ...nothing])).stdout).toMatch(/^ram +unmeasured/m)
  })

  it('ends with 2 at a wrong value', async () => {
    const { code, stdout, stderr } = await cli(['detect', '--cpu-max-watts', '-1'])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain('--cpu-max-watts')
  })
})
