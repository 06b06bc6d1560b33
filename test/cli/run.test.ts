import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { constants, totalmem } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeEach, describe, expect, it } from 'vitest'
import { readTable } from '../fixtures/csv/table.ts'
import { cliPath, runCli, startChild, startCli, type Child, type Ended } from '../fixtures/programs/child.ts'
import { temporaryFolder } from '../fixtures/programs/temporary-folder.ts'
import { fakeMachine } from '../tracker/fake-machine.ts'

let folder: string

beforeEach(() => {
  folder = temporaryFolder()
})

const node = process.execPath
const program = fileURLToPath(new URL('../fixtures/programs/command.js', import.meta.url))

/** Runs `codecarbon run` to its end, in the temporary folder. */
const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> =>
  runCli(['run', ...args], { folder, env })

/** Starts `codecarbon run` on the program and waits until that is ready; gives the program's process number too. */
async function started(way: string, args: readonly string[] = []): Promise<Child & { pid: number }> {
  const child = startCli(['run', ...args, '--', node, program, way], { folder })
  let text = ''
  child.process.stdout.on('data', (more: string) => {
    text += more
  })
  await child.printed('ready')
  return { ...child, pid: Number(/ready (\d+)/.exec(text)?.[1]) }
}

const rows = (): Record<string, string>[] => readTable(join(folder, 'emissions.csv'))

interface Summary {
  readonly [key: string]: unknown
  readonly exit_code: number
  readonly energy_kwh: number
  readonly measured_share: number
  readonly command: { readonly energy_joules: number; readonly emissions_g: number } | null
  readonly components: readonly {
    readonly component: string
    readonly energy_joules: number
    readonly method: string
    readonly domains: readonly { readonly domain: string; readonly energy_joules: number }[]
  }[]
}

const summary = (name = 'summary.json'): Summary =>
  JSON.parse(readFileSync(join(folder, name), 'utf8')) as Summary

describe('the exit code', () => {
  it.each([0, 1, 7, 255])('is that of the command: %d', async (code) => {
    expect(await run(['--', node, '-e', `process.exit(${code})`])).toMatchObject({ code, signal: null })
    expect(rows()).toHaveLength(1)
  })

  it.each(['SIGKILL', 'SIGTERM', 'SIGABRT'] as const)(
    'is 128 and the number of the signal that ended it: %s',
    async (signal) => {
      const { code } = await run([
        '--',
        node,
        '-e',
        `process.kill(process.pid, '${signal}'); setInterval(() => 0, 9e4)`,
      ])
      expect(code).toBe(128 + constants.signals[signal])
      expect(rows()).toHaveLength(1)
    },
  )

  it('is 127 where there is no such command, with a sentence that names it', async () => {
    const { code, stdout, stderr } = await run(['--', 'no-such-command', '--help'])
    expect({ code, stdout }).toEqual({ code: 127, stdout: '' })
    expect(stderr).toContain('codecarbon: no-such-command: command not found')
  })

  it.skipIf(process.geteuid?.() === 0)(
    'is 127, too, where a folder of the search path may not be searched',
    async () => {
      const closed = join(folder, 'closed')
      mkdirSync(closed, { mode: 0 })
      const env = { PATH: `${closed}:${process.env['PATH']}` }
      const { code, stderr } = await run(['--', 'no-such-command'], env)
      expect(code).toBe(127)
      expect(stderr).toContain('codecarbon: no-such-command: command not found')
    },
  )

  it('is 126 where the command may not be executed', async () => {
    const file = join(folder, 'script')
    writeFileSync(file, '#!/bin/sh\n')
    chmodSync(file, 0o644)
    for (const path of [file, folder]) {
      const { code, stderr } = await run(['--', path])
      expect(code).toBe(126)
      expect(stderr).toContain(`codecarbon: ${path}: `)
    }
  })
})

describe('the streams', () => {
  it('are those of the command: not a byte is added to stdout or taken from stdin', async () => {
    const input = `{"a": "Zürich 東京"}\n\u001B[31m no line end`
    const child = runCli(['run', '--', 'cat'], { folder, input })
    expect(await child).toMatchObject({ code: 0, stdout: input })
  })

  it('carry the report on stderr, after what the command wrote there', async () => {
    const { stdout, stderr } = await run([
      '--project-name',
      'digits',
      '--',
      node,
      '-e',
      'console.error("mine")',
    ])
    expect(stdout).toBe('')
    expect(stderr).toMatch(/^mine\n\nCodeCarbon: digits, [^]*Energy +.*[^]*Emissions +.*[^]*Written to +/)
    expect(stderr).toContain(join(folder, 'emissions.csv'))
  })

  it('have no colours where they are no terminal', async () => {
    const { stderr } = await run(['--', 'true'])
    expect(stderr).not.toContain('\u001B')
  })

  it('may be closed: the command runs and its exit code stands', async () => {
    const child = startCli(['run', '--', node, '-e', 'process.exit(7)'], { folder, input: '' })
    child.process.stderr.destroy()
    expect((await child.ended).code).toBe(7)
    expect(rows()).toHaveLength(1)
  })
})

describe('the arguments of the command', () => {
  it('are handed on as they are', async () => {
    const words = ['--pue', '2', '--help', 'a b', '', '*', '--', '-x']
    const { stdout } = await run(['--', node, '-p', 'JSON.stringify(process.argv.slice(1))', '--', ...words])
    expect(JSON.parse(stdout)).toEqual(words)
  })

  it('need no dashes before them', async () => {
    const { code, stdout } = await run([node, '-p', '1 + 1', '--', '--json'])
    expect({ code, stdout }).toEqual({ code: 0, stdout: '2\n' })
  })
})

describe('a signal', () => {
  it.each(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR2', 'SIGQUIT'] as const)(
    'is handed on to the command, which decides: %s',
    async (signal) => {
      const child = await started('exit on signals')
      child.process.kill(signal)
      const { code, stdout } = await child.ended
      expect({ code, stdout }).toEqual({ code: 5, stdout: `ready ${child.pid}\ngot ${signal}\n` })
      expect(rows()).toHaveLength(1)
    },
  )

  it('that the command does not handle ends both, with one row', async () => {
    const child = await started('wait')
    child.process.kill('SIGTERM')
    expect((await child.ended).code).toBe(128 + constants.signals.SIGTERM)
    expect(rows()).toHaveLength(1)
  })

  it.skipIf(!existsSync('/usr/bin/script'))(
    'that a terminal sends reaches the command once, wherever its streams lead',
    async () => {
      const command = `exec '${node}' '${cliPath}' run -- '${node}' '${program}' 'count interrupts' </dev/null`
      const terminal = startChild('/usr/bin/script', ['-qec', command, '/dev/null'], { folder })
      await terminal.printed('ready')
      terminal.process.stdin.write('\x03')
      expect((await terminal.ended).code).toBe(1)
    },
  )

  it.skipIf(!existsSync('/usr/bin/script'))(
    'that somebody sends to us alone on a terminal is handed on',
    async () => {
      const command = `echo $$ > pid; exec '${node}' '${cliPath}' run -q -- '${node}' '${program}' 'count interrupts'`
      const terminal = startChild('/usr/bin/script', ['-qec', command, '/dev/null'], { folder })
      await terminal.printed('ready')
      process.kill(Number(readFileSync(join(folder, 'pid'), 'utf8')), 'SIGINT')
      expect((await terminal.ended).code).toBe(1)
    },
  )

  it('that the command ignores ends neither', async () => {
    const child = await started('ignore signals')
    child.process.kill('SIGTERM')
    await child.printed('not yet')
    child.process.stdin.write('end\n')
    expect((await child.ended).code).toBe(6)
    expect(rows()).toHaveLength(1)
  })
})

describe('--summary-file', () => {
  it('holds the figures of the run under the names of schema 1', async () => {
    const before = Date.now()
    await run([
      '--summary-file',
      'deep/summary.json',
      '--country-iso-code',
      'FRA',
      '--',
      node,
      program,
      'busy',
    ])
    const written = summary('deep/summary.json')
    const number = expect.any(Number) as number
    const text = expect.any(String) as string
    expect(written).toMatchObject({
      schema: 1,
      project_name: 'codecarbon',
      run_id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      started_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string,
      duration_seconds: number,
      exit_code: 0,
      csv: join(folder, 'emissions.csv'),
      energy_kwh: number,
      emissions: { kg: number, low: number, high: number },
      measured_share: number,
      command: { energy_joules: number, emissions_g: number },
      intensity: { grams_per_kwh: number, source: text, year: number, basis: text, quality: text },
      place: {
        country_iso_code: 'FRA',
        region: null,
        cloud_provider: null,
        cloud_region: null,
        found_by: 'configuration',
      },
    })
    for (const component of written.components) {
      expect(component).toMatchObject({ component: expect.stringMatching(/^(cpu|ram|gpu)$/) as string })
      expect(component).toMatchObject({
        method: expect.stringMatching(/^(measured|integrated|estimated|unmeasured)$/) as string,
      })
      for (const key of ['source', 'energy_joules', 'low', 'high', 'power_watts', 'domains']) {
        expect(component).toHaveProperty(key)
      }
    }
    expect(Array.isArray(written['problems'])).toBe(true)
    const start = Date.parse(String(written['started_at']))
    expect(start).toBeGreaterThanOrEqual(before - 1)
    expect(start).toBeLessThanOrEqual(Date.now())
    expect(rows()[0]?.['run_id']).toBe(written['run_id'])
    expect(Number(rows()[0]?.['energy_consumed'])).toBe(written.energy_kwh)
    expect(readdirSync(join(folder, 'deep'))).toEqual(['summary.json'])
  })

  it('holds the exit code of a command that fails, and of one that is killed', async () => {
    await run(['--summary-file', 'summary.json', '--', node, '-e', 'process.exit(7)'])
    expect(summary().exit_code).toBe(7)
    const child = await started('wait', ['--summary-file', 'summary.json'])
    process.kill(child.pid, 'SIGKILL')
    expect((await child.ended).code).toBe(137)
    expect(summary().exit_code).toBe(137)
  })

  it('holds the figures of a command that was not there', async () => {
    await run(['--summary-file', 'summary.json', '--', 'no-such-command'])
    expect(summary().exit_code).toBe(127)
  })

  it('that cannot be written is one sentence, and the exit code stands', async () => {
    mkdirSync(join(folder, 'taken'))
    for (const path of ['/dev/null/summary.json', join(folder, 'taken')]) {
      const { code, stderr } = await run(['--summary-file', path, '--', node, '-e', 'process.exit(7)'])
      expect(code).toBe(7)
      expect(stderr.split('\n').filter((line) => line.includes('cannot be written'))).toEqual([
        expect.stringContaining(path),
      ])
    }
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })

  it('says null for the file of rows where none is written', async () => {
    await run(['--summary-file', 'summary.json', '--output-methods', '', '--', 'true'])
    expect(summary()['csv']).toBeNull()
    expect(existsSync(join(folder, 'emissions.csv'))).toBe(false)
  })
})

describe.runIf(process.platform === 'linux')("the command's own share", () => {
  it('counts children that lived and died between two measurements', async () => {
    await run(['--summary-file', 'summary.json', '--', node, program, 'many children'])
    const { command, energy_kwh: total } = summary()
    expect(command?.energy_joules).toBeGreaterThan(0)
    expect(command?.energy_joules).toBeLessThanOrEqual(total * 3.6e6)
    // At least 300 ms of CPU time, of a machine whose energy is shared by CPU time.
    const cpu = summary().components.find(({ component }) => component === 'cpu')?.energy_joules ?? 0
    expect(command?.energy_joules).toBeGreaterThan(0.02 * cpu)
  })

  it('counts what was left behind by its parent before anyone looked', async () => {
    const command = `'${node}' '${program}' 'leave a child behind'; sleep 2`
    await run(['--summary-file', 'summary.json', '--force-ram-power', '0', '--', 'sh', '-c', command])
    const { command: share, components } = summary()
    const [cpu] = components
    expect(share?.energy_joules).toBeGreaterThan(0.1 * (cpu?.energy_joules ?? NaN))
  })

  it('of estimated memory is far more than the memory it holds, for one that keeps a CPU busy', async () => {
    const nothing = ['--sysfs-path', join(folder, 'nothing'), '--force-cpu-power', '0']
    await run(['--summary-file', 'summary.json', ...nothing, '--', node, program, 'busy for long'])
    const { command, components } = summary()
    const memory = components.find(({ component }) => component === 'ram')
    const held = (200 * 2 ** 20) / totalmem()
    expect(memory?.method).toBe('estimated')
    expect(command?.energy_joules).toBeGreaterThan((memory?.energy_joules ?? NaN) * Math.max(held, 0.01))
    expect(command?.energy_joules).toBeLessThanOrEqual(memory?.energy_joules ?? NaN)
  })

  it('is all there is where the tree alone is tracked', async () => {
    await run([
      '--tracking-mode',
      'process',
      '--summary-file',
      'summary.json',
      '--',
      node,
      program,
      'many children',
    ])
    const written = summary()
    expect(written['tracking_mode']).toBe('process')
    expect(written.command?.energy_joules).toBeCloseTo(written.energy_kwh * 3.6e6, 6)
    expect(rows()[0]).toMatchObject({ tracking_mode: 'process' })
  })
})

describe('what the machine tells', () => {
  it('is measured by its counters, with their domains', async () => {
    const { options } = fakeMachine(join(folder, 'machine'))
    const [cpu, ram] = ['intel-rapl:0', 'intel-rapl:0:0'].map((zone) =>
      join(options.sysfsPath, 'class/powercap', zone, 'energy_uj'),
    )
    // Opened for reading as well, so that the shell does not empty the file before it writes.
    const command = `printf 4600000 1<> '${cpu}'; printf 2400000 1<> '${ram}'`
    const paths = ['--sysfs-path', options.sysfsPath, '--procfs-path', options.procfsPath]
    const { code, stderr } = await run([
      ...paths,
      '--summary-file',
      'summary.json',
      '--',
      'sh',
      '-c',
      command,
    ])
    expect(code).toBe(0)
    expect(stderr).toMatch(/CPU +.* measured/)
    const { components, measured_share: share, problems } = summary()
    expect(share).toBe(1)
    expect(problems).toEqual([])
    expect(components).toMatchObject([
      {
        component: 'cpu',
        method: 'measured',
        source: 'rapl',
        energy_joules: expect.closeTo(3.6, 9) as number,
      },
      {
        component: 'ram',
        method: 'measured',
        source: 'rapl',
        energy_joules: expect.closeTo(0.4, 9) as number,
      },
    ])
    expect(components[0]?.domains).toEqual([
      {
        domain: 'package-0',
        parent: null,
        method: 'measured',
        energy_joules: expect.closeTo(3.6, 9) as number,
      },
    ])
  })

  it('is missing where there is no procfs: one sentence, the command runs and no share is made up', async () => {
    const args = ['--procfs-path', '/nonexistent', '--summary-file', 'summary.json']
    const { code, stderr } = await run([...args, '--', node, '-e', 'process.exit(7)'])
    expect(code).toBe(7)
    const lines = stderr
      .split('\n')
      .filter((line) => line.includes('WARNING') && line.includes('/nonexistent'))
    expect(lines).toHaveLength(1)
    expect(lines[0]).toContain('procfs_path')
    expect(summary().command).toBeNull()
    expect(stderr).not.toMatch(/^Command /m)
    expect(rows()).toHaveLength(1)
  })
})

describe('what the user got wrong', () => {
  it('about the place is a sentence, and the command runs', async () => {
    const { code, stderr } = await run(['--country-iso-code', 'FRX', '--', node, '-e', 'process.exit(7)'])
    expect(code).toBe(7)
    expect(
      stderr.split('\n').filter((line) => line.includes('WARNING') && line.includes('"FRX"')),
    ).toHaveLength(1)
    expect(stderr).toContain('world average')
    expect(rows()[0]).toMatchObject({ country_iso_code: '' })
  })

  it('about the place is told by the name that it was given by', async () => {
    const flag = await run(['-q', '--country-iso-code', 'FRX', '--', 'true'])
    expect(flag.stderr).toMatch(/WARNING @ [\d:]+\] --country-iso-code "FRX" is not known/)
    const variable = await run(['-q', '--', 'true'], { CODECARBON_CLOUD_PROVIDER: 'awss' })
    expect(variable.stderr).toMatch(/\] CODECARBON_CLOUD_PROVIDER "awss" is not known.*did you mean aws/)
  })

  it('about the output directory is a sentence, and the row is saved elsewhere', async () => {
    const { code, stderr } = await run(['--output-dir', '/dev/null/out', '--', node, '-e', 'process.exit(7)'])
    expect(code).toBe(7)
    const saved = join(folder, 'state/codecarbon/emissions.csv')
    expect(stderr.split('\n').filter((line) => line.includes('WARNING'))).toEqual([
      expect.stringContaining(saved),
    ])
    expect(readTable(saved)).toHaveLength(1)
  })

  it.each([
    ['a number that is none', ['--pue', 'much', '--', 'true'], '--pue', '"much"'],
    [
      'a number out of range',
      ['--measure-power-secs', '0', '--', 'true'],
      '--measure-power-secs',
      'at least 0.01',
    ],
    ['an infinite number', ['--wue', 'Infinity', '--', 'true'], '--wue', '"Infinity"'],
    ['a choice that there is not', ['--tracking-mode', 'host', '--', 'true'], '--tracking-mode', 'machine'],
    ['a switch that is neither', ['--offline', 'perhaps', '--', 'true'], '--offline', 'true or false'],
    ['a missing value', ['--pue', '--wue', '1', '--', 'true'], '--pue', 'missing'],
    [
      'a flag that there is not',
      ['--mesure-power-secs', '1', '--', 'true'],
      '--mesure-power-secs',
      'Did you mean --measure-power-secs?',
    ],
    ['no command', [], 'command', 'missing'],
    ['no command after the dashes', ['--pue', '1.2', '--'], 'command', 'missing'],
    ['an empty command', ['--', ''], 'command', 'missing'],
  ])('in the call ends it with 2 before anything runs: %s', async (_, args, ...words) => {
    const { code, stdout, stderr } = await run(args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    for (const word of words) expect(stderr).toContain(word)
    expect(stderr.trimEnd().split('\n')).toHaveLength(1)
    expect(stderr).not.toMatch(/ {4}at /)
    expect(rows()).toEqual([])
  })
})

describe('the environment', () => {
  it('gives options, below those of the call', async () => {
    const env = { CODECARBON_PROJECT_NAME: 'from outside', CODECARBON_PUE: '1.5', CODECARBON_WUE: '2' }
    await run(['--pue', '1.25', '--', 'true'], env)
    expect(rows()[0]).toMatchObject({ project_name: 'from outside', pue: '1.25', wue: '2' })
  })

  it('with a variable that is misspelt is a warning with the nearest one', async () => {
    const { code, stderr } = await run(['--', 'true'], { CODECARBON_PROJECT_NAM: 'x' })
    expect(code).toBe(0)
    expect(stderr).toMatch(/WARNING.*CODECARBON_PROJECT_NAM.*CODECARBON_PROJECT_NAME\?/)
  })

  it('with a wrong value is an error that names the variable', async () => {
    const { code, stderr } = await run(['--', 'true'], { CODECARBON_PUE: 'much' })
    expect(code).toBe(2)
    expect(stderr).toMatch(/^codecarbon: CODECARBON_PUE: .*"much"\n$/)
  })
})
