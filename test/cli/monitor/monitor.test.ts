import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { readTable } from '../../fixtures/csv/table.ts'
import { cliPath, startChild, startCli, runCli, type Child } from '../../fixtures/programs/child.ts'
import { temporaryFolder } from '../../fixtures/programs/temporary-folder.ts'

let folder: string

beforeEach(() => {
  folder = temporaryFolder()
})

const often = ['--measure-power-secs', '0.1', '--api-call-interval', '1', '--country-iso-code', 'FRA']
const rows = (): Record<string, string>[] => readTable(join(folder, 'emissions.csv'))

/** Starts the monitor and waits until its log, on stderr, has this text. */
async function monitoring(args: readonly string[], text = 'CO2eq'): Promise<Child> {
  const child = startCli(['monitor', ...args], { folder })
  await said(child, text)
  return child
}

/** Resolves when stderr has this text from now on. */
const said = (child: Child, text: string): Promise<void> =>
  new Promise((resolve, reject) => {
    let stderr = ''
    child.process.stderr.on('data', (more: string) => {
      stderr += more
      if (stderr.includes(text)) resolve()
    })
    child.ended.then((ended) => {
      reject(new Error(`it ended without saying "${text}": ${ended.stderr}`))
    }, reject)
  })

describe('the monitor', () => {
  it('ends with 1 where no output can be opened, and goes on where another one is', async () => {
    const taken = createServer()
    await new Promise<void>((done) => {
      taken.listen(0, '127.0.0.1', done)
    })
    onTestFinished(() => {
      taken.close()
    })
    const { port } = taken.address() as AddressInfo
    const args = ['monitor', ...often, '--prometheus-port', String(port)]
    const { code, stderr } = await runCli([...args, '--output-methods', 'prometheus_pull'], { folder })
    expect(code).toBe(1)
    expect(stderr).toContain('is taken by another program')
    expect(stderr).toContain('no output could be opened: the monitor ends')
    const child = await monitoring(args.slice(1))
    child.process.kill('SIGTERM')
    expect((await child.ended).code).toBe(0)
  })

  it.each(['SIGTERM', 'SIGINT', 'SIGQUIT'] as const)(
    'ends at %s with 0 and one row, having logged on stderr alone',
    async (signal) => {
      const child = await monitoring(often)
      child.process.kill(signal)
      const { code, stdout, stderr } = await child.ended
      expect({ code, stdout }).toEqual({ code: 0, stdout: '' })
      expect(stderr).toMatch(/INFO .*tracking codecarbon: cpu \w+ \(/)
      expect(stderr).toMatch(/INFO .*cpu [\d.]+ m?W, ram [\d.]+ m?W, [\d.]+ m?J, [\d.]+ [mµ]?g CO2eq/)
      expect(stderr).not.toContain('\u001B')
      expect(rows()).toHaveLength(1)
      expect(Number(rows()[0]?.['energy_consumed'])).toBeGreaterThan(0)
    },
  )

  it('keeps its row up to date, so that little is lost when it is killed', async () => {
    const child = await monitoring(often)
    await said(child, 'CO2eq')
    child.process.kill('SIGKILL')
    await child.ended
    expect(rows()).toHaveLength(1)
  })

  it('logs for machines where asked to: an object a line, with units in the names', async () => {
    const child = await monitoring([...often, '--log-format', 'json'])
    child.process.kill('SIGTERM')
    const { stderr } = await child.ended
    const lines = stderr
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(lines.find(({ event }) => event === 'measurement')).toMatchObject({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string,
      cpu_power_watts: expect.any(Number) as number,
      energy_kwh: expect.any(Number) as number,
      emissions_kg: expect.any(Number) as number,
    })
    expect(lines.at(-1)).toMatchObject({ event: 'end' })
  })

  it('reads its configuration again at SIGHUP: a wrong one changes nothing, a right one begins a new run', async () => {
    const configure = (text: string): void => {
      writeFileSync(join(folder, '.codecarbon.config'), `[codecarbon]\n${text}\n`)
    }
    configure('project_name = first')
    const child = await monitoring(often)
    configure('project_name = second\npue = low')
    child.process.kill('SIGHUP')
    await said(child, 'stays as it was')
    configure('project_name = second')
    child.process.kill('SIGHUP')
    await said(child, 'tracking second')
    child.process.kill('SIGTERM')
    const { code, stderr } = await child.ended
    expect(code).toBe(0)
    expect(stderr).toContain(`.codecarbon.config:3: pue: expected a number of at least 1, got "low"`)
    expect(rows().map((row) => row['project_name'])).toEqual(['first', 'second'])
  })

  it('ends with 2 at a wrong option, before anything begins', async () => {
    const { code, stderr } = await runCli(['monitor', '--pue', '0.5'], { folder })
    expect(code).toBe(2)
    expect(stderr).toBe('codecarbon: --pue: expected a number of at least 1, got "0.5"\n')
    expect(existsSync(join(folder, 'emissions.csv'))).toBe(false)
  })

  it('ends with 1 where another run has the machine to itself', async () => {
    const child = await monitoring([...often, '--allow-multiple-runs', 'false'])
    const { code, stderr } = await runCli(['monitor', '--no-allow-multiple-runs'], { folder })
    expect(code).toBe(1)
    expect(stderr).toContain(`process ${child.process.pid} is tracking on this machine`)
    child.process.kill('SIGTERM')
    expect((await child.ended).code).toBe(0)
  })

  it('with a command is the same as run', async () => {
    const { code, stdout, stderr } = await runCli(['monitor', '--', 'sh', '-c', 'echo out; exit 3'], {
      folder,
    })
    expect({ code, stdout }).toEqual({ code: 3, stdout: 'out\n' })
    expect(stderr).toMatch(/^CodeCarbon, \d/m)
  })
})

describe.skipIf(!existsSync('/usr/bin/script'))('the live view on a terminal', () => {
  const enter = '\u001B[?1049h\u001B[?25l'
  const leave = '\u001B[?25h\u001B[?1049l'

  /** Runs the monitor on a terminal, lets `act` do something when the view is there, and gives all that the terminal was sent. */
  async function onTerminal(
    act: (terminal: Child) => void,
    env: Record<string, string> = {},
  ): Promise<string> {
    const command = `stty columns 90 rows 30; exec '${process.execPath}' '${cliPath}' monitor ${often.join(' ')}`
    const terminal = startChild('/usr/bin/script', ['-qec', command, '/dev/null'], {
      folder,
      env: { TERM: 'xterm-256color', LANG: 'C.UTF-8', ...env },
    })
    await terminal.printed('Total')
    act(terminal)
    const { code, stdout } = await terminal.ended
    expect(code).toBe(0)
    return stdout
  }

  it('has the screen to itself, and gives it back at Ctrl-C with a report', async () => {
    const sent = await onTerminal(({ process }) => process.stdin.write('\u0003'))
    expect(sent.startsWith(enter)).toBe(true)
    const [, after = ''] = sent.split(leave)
    expect(after).toMatch(/^CodeCarbon, \d/)
    expect(after).not.toContain('\u001B')
    expect(sent.split(leave)).toHaveLength(2)
    expect(rows()).toHaveLength(1)
  })

  it('has colours, unless they are not wanted', async () => {
    const colour = /\u001B\[\d*m/
    expect(await onTerminal(({ process }) => process.stdin.write('\u0003'))).toMatch(colour)
    const plain = await onTerminal(({ process }) => process.stdin.write('\u0003'), { NO_COLOR: '1' })
    expect(plain).not.toMatch(colour)
  })
})

it('is described with every option it takes', async () => {
  const { stdout } = await runCli(['monitor', '--help'], { folder })
  for (const flag of ['--log-format', '--measure-power-secs', '--output-dir']) expect(stdout).toContain(flag)
  expect(readFileSync(new URL('../../../docs/configuration.md', import.meta.url), 'utf8')).toContain(
    '`output_dir`',
  )
})
