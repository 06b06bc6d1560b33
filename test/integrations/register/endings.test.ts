import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { readTable } from '../../fixtures/csv/table.ts'
import { startChild, type Child, type Ended } from '../../fixtures/programs/child.ts'
import { node, preload, programPath } from '../../fixtures/programs/register/preload.ts'
import { temporaryFolder } from '../../fixtures/programs/temporary-folder.ts'

let folder: string

beforeEach(() => {
  folder = temporaryFolder()
  mkdirSync(join(folder, 'tmp'))
})

const rows = (): Record<string, string>[] => readTable(join(folder, 'emissions.csv'))

function start(
  args: readonly string[],
  { env = {}, input = '' }: { env?: Readonly<Record<string, string>>; input?: string } = {},
): Child {
  return startChild(node, ['--import', preload, ...args], {
    folder,
    input,
    env: { CODECARBON_LOG_LEVEL: 'warning', TMPDIR: join(folder, 'tmp'), ...env },
  })
}

const end = (way: string, env: Readonly<Record<string, string>> = {}): Promise<Ended> =>
  start([programPath('endings.cjs'), way], { env }).ended

function expectOneRow(): void {
  const all = rows()
  expect(all).toHaveLength(1)
  expect(Number(all[0]?.['duration'])).toBeGreaterThan(0)
  expect(Number(all[0]?.['energy_consumed'])).toBeGreaterThan(0)
  // Nothing is left behind where children would have told of their scopes.
  expect(readdirSync(join(folder, 'tmp'))).toEqual([])
}

describe('a program that is tracked by preload', () => {
  it.each([
    ['by itself', 0],
    ['after a while', 0],
    ['exit', 3],
    ['exit code', 4],
    ['exit with a thread', 5],
    ['a thread that exits', 7],
  ])('ends as ever, and leaves one row: %s', async (way, code) => {
    expect(await end(way)).toEqual({ code, signal: null, stdout: '', stderr: '' })
    expectOneRow()
  })

  it.each([
    ['uncaught error', 'this was not caught'],
    ['unhandled rejection', 'this was not handled'],
  ])('prints its error as ever: %s', async (way, message) => {
    const { code, stdout, stderr } = await end(way)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain(`Error: ${message}`)
    expect(stderr).not.toContain('codecarbon')
    expectOneRow()
  })

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('is ended by a signal as ever: %s', async (signal) => {
    const child = start([programPath('endings.cjs'), 'signal'])
    await child.printed('ready')
    child.process.kill(signal)
    expect(await child.ended).toMatchObject({ code: null, signal, stderr: '' })
    expectOneRow()
  })

  it.each([
    ['handled signal', { code: 6, signal: null }],
    ['once handled signal', { code: null, signal: 'SIGTERM' }],
  ])('handles signals itself as ever: %s', async (way, ending) => {
    const child = start([programPath('endings.cjs'), way])
    await child.printed('ready')
    child.process.kill('SIGTERM')
    expect(await child.ended).toMatchObject({ ...ending, stderr: '' })
    expect(rows()).toHaveLength(1)
  })

  it.each([
    ['-e', ['-e', 'console.log("ran")'], ''],
    ['-e as a module', ['--input-type=module', '-e', 'await 0; console.log("ran")'], ''],
    ['standard input', ['-'], 'console.log("ran")'],
    ['another preload before', ['--import', 'data:text/javascript,0', '-e', 'console.log("ran")'], ''],
    ['a preload by --require', ['-r', 'node:path', '-e', 'console.log("ran")'], ''],
    ['the same preload again', ['--import', preload, '-e', 'console.log("ran")'], ''],
  ])('may come in any way: %s', async (_, args, input) => {
    expect(await start(args, { input }).ended).toEqual({ code: 0, signal: null, stdout: 'ran\n', stderr: '' })
    expectOneRow()
  })

  it('may be a module', async () => {
    writeFileSync(join(folder, 'program.mjs'), 'import "node:fs"; process.exitCode = 9')
    expect(await start([join(folder, 'program.mjs')]).ended).toMatchObject({ code: 9, stderr: '' })
    expectOneRow()
  })
})

describe('a wrong configuration', () => {
  it('is one message, and the program runs untracked', async () => {
    const { code, stdout, stderr } = await end('exit', { CODECARBON_PUE: 'much' })
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' })
    expect(stderr.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/codecarbon\/register: this program is not tracked: .*CODECARBON_PUE/),
    ])
    expect(rows()).toEqual([])
  })

  it('is told once, however many children there are', async () => {
    const fork =
      'const { spawnSync } = require("child_process"); spawnSync(process.execPath, ["-e", "0"], { stdio: "inherit" })'
    const { stderr } = await start(['-e', fork], {
      env: { CODECARBON_PUE: 'much', NODE_OPTIONS: `--import ${preload}` },
    }).ended
    expect(stderr.match(/is not tracked/g)).toHaveLength(1)
  })

  it('such as a name of a hook that there is none of is one warning', async () => {
    const { code, stderr } = await end('exit', { CODECARBON_INTEGRATIONS: 'nonee' })
    expect(code).toBe(3)
    expect(stderr).toMatch(/integrations: there is no hook "nonee" \(did you mean none\?\)/)
    expectOneRow()
  })
})

describe('a folder for temporary files that cannot be written', () => {
  it('is one message; the program is measured, and its children begin no runs of their own', async () => {
    const program = 'require("child_process").spawnSync(process.execPath, ["-e", "0"], { stdio: "inherit" })'
    const { code, stderr } = await start(['-e', program], {
      env: { TMPDIR: '/dev/null/x', NODE_OPTIONS: `--import ${preload}` },
    }).ended
    expect(code).toBe(0)
    expect(stderr.trimEnd().split('\n')).toEqual([expect.stringContaining('there can be no folder for it')])
    expect(rows()).toHaveLength(1)
  })
})
