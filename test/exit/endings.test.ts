import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { readTable } from '../fixtures/csv/table.ts'
import {
  runProgram,
  startProgram,
  type Child,
  type ChildOptions,
  type Ended,
} from '../fixtures/programs/child.ts'
import { temporaryFolder } from '../fixtures/programs/temporary-folder.ts'

let folder: string

beforeEach(() => {
  folder = temporaryFolder()
})

const options = (env: Readonly<Record<string, string>> = {}): ChildOptions => ({
  folder,
  env: { CODECARBON_OUTPUT_DIR: join(folder, 'out'), CODECARBON_LOG_LEVEL: 'warning', ...env },
})

const rows = (): Record<string, string>[] => readTable(join(folder, 'out/emissions.csv'))
const end = (way: string): Promise<Ended> => runProgram('endings.js', [way], options())

/** There is one row, of the whole run. */
function expectOneRow(): void {
  const all = rows()
  expect(all).toHaveLength(1)
  expect(all[0]).toMatchObject({ project_name: 'ending' })
  for (const column of ['duration', 'emissions', 'cpu_energy', 'ram_energy', 'energy_consumed']) {
    expect(Number(all[0]?.[column]), column).toBeGreaterThan(0)
  }
}

describe('a program that ends without stop() leaves one row and its own exit code', () => {
  it.each([
    ['by itself', 0],
    ['after a while', 0],
    ['exit', 3],
    ['exit code', 4],
    ['blocked, then exit', 5],
    ['exit while stopping', 6],
    ['exit while stopping, a moment later', 6],
    ['exit while stopping, a turn later', 6],
    ['exit after stop', 7],
    ['exit within a task', 8],
  ])('%s', async (way, code) => {
    expect(await end(way)).toMatchObject({ code, signal: null, stdout: '', stderr: '' })
    expectOneRow()
  })

  it.each([
    ['uncaught error', 'this was not caught'],
    ['error at once', 'this was not caught'],
    ['unhandled rejection', 'this was not handled'],
  ])('%s, and the error is printed as ever', async (way, message) => {
    const { code, stdout, stderr } = await end(way)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain(`Error: ${message}`)
    expect(stderr).toContain('endings.js:')
    expectOneRow()
  })

  it('and counts the time in which it was blocked', async () => {
    await end('blocked, then exit')
    expect(Number(rows()[0]?.['duration'])).toBeGreaterThanOrEqual(0.1)
  })

  it('and the tasks that were running', async () => {
    await end('exit within a task')
    const tasks = readTable(join(folder, `out/emissions_base_${rows()[0]?.['run_id']}.csv`))
    expect(tasks.map((row) => row['task_name'])).toEqual(['epoch'])
  })
})

describe('a signal', () => {
  const started = async (way: string): Promise<Child> => {
    const child = startProgram('endings.js', [way], options())
    await child.printed('ready')
    return child
  }

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    'that nobody handles ends the program as ever, and its row is there: %s',
    async (signal) => {
      const child = await started('wait for a signal')
      child.process.kill(signal)
      expect(await child.ended).toMatchObject({ code: null, signal, stderr: '' })
      expectOneRow()
    },
  )

  it('that a library handles which counts listeners ends the program as ever', async () => {
    const child = await started('library that counts listeners')
    child.process.kill('SIGTERM')
    expect(await child.ended).toMatchObject({ code: null, signal: 'SIGTERM', stderr: '' })
    expectOneRow()
  })

  it('that the program handles by ending a little later leaves one row, the last', async () => {
    const child = await started('handler that exits later')
    child.process.kill('SIGTERM')
    expect(await child.ended).toMatchObject({ code: 0, signal: null, stderr: '' })
    expectOneRow()
    const [row] = rows()
    const [task] = readTable(join(folder, `out/emissions_base_${row?.['run_id']}.csv`))
    expect(task).toMatchObject({ task_name: 'clean up' })
  })

  it('that the program handles by stopping the tracker leaves one row', async () => {
    const child = await started('handler that stops the tracker')
    child.process.kill('SIGTERM')
    expect(await child.ended).toMatchObject({ code: 0, signal: null, stderr: '' })
    expectOneRow()
  })

  it('that the program survives, once or twice, leaves one row, of the whole run', async () => {
    const child = await started('handler that goes on')
    child.process.kill('SIGTERM')
    await child.printed('signal 1')
    expectOneRow()
    const first = Number(rows()[0]?.['duration'])
    child.process.kill('SIGTERM')
    await child.printed('signal 2')
    expectOneRow()
    child.process.stdin.write('stop\n')
    expect(await child.ended).toMatchObject({ code: 9, signal: null, stderr: '' })
    expectOneRow()
    expect(Number(rows()[0]?.['duration'])).toBeGreaterThan(first)
  })

  it('that the program survives takes no figure and no task from its handlers', async () => {
    const child = startProgram('deltas.js', [], options())
    await child.printed('ready')
    child.process.kill('SIGTERM')
    await child.printed('signal')
    child.process.stdin.write('stop\n')
    const { stdout } = await child.ended
    const { deltas, tasks, exits, total } = JSON.parse(stdout.slice(stdout.indexOf('{'))) as {
      deltas: number[]
      tasks: string[]
      exits: number
      total: number
    }
    expect(tasks).toEqual(['before the signal'])
    expect(exits).toBe(1)
    expect(deltas.reduce((sum, delta) => sum + delta, 0)).toBeCloseTo(total, 15)
  })

  it('that kills leaves what was flushed', async () => {
    const child = startProgram('flush-for-ever.js', [], options({ CODECARBON_ON_CSV_WRITE: 'update' }))
    await child.printed('saved\nsaved\n')
    child.process.kill('SIGKILL')
    expect(await child.ended).toMatchObject({ code: null, signal: 'SIGKILL' })
    expect(rows()).toHaveLength(1)
  })
})

describe('a row that cannot be written at the end of a process', () => {
  it('goes to the state directory, with one message, and the exit code stands', async () => {
    const { code, stderr } = await runProgram(
      'endings.js',
      ['exit'],
      options({ CODECARBON_OUTPUT_DIR: '/dev/null/x' }),
    )
    expect(code).toBe(3)
    expect(stderr.trimEnd().split('\n')).toEqual([expect.stringContaining('state/codecarbon/emissions.csv')])
    expect(readTable(join(folder, 'state/codecarbon/emissions.csv'))).toHaveLength(1)
  })

  it('is one message where the state directory cannot be written either', async () => {
    const env = { CODECARBON_OUTPUT_DIR: '/dev/null/x', XDG_STATE_HOME: '/dev/null/y' }
    const { code, stderr } = await runProgram('endings.js', ['exit'], options(env))
    expect(code).toBe(3)
    expect(stderr.match(/cannot be written:/g)).toHaveLength(1)
  })
})

describe('a worker thread with a tracker', () => {
  it.each([
    ['by itself', 0],
    ['stopped', 0],
    ['exit', 3],
  ])('leaves one row where it ends: %s', async (way, code) => {
    const { stdout, stderr, ...ended } = await runProgram('worker.js', [way], options())
    expect(ended).toEqual({ code: 0, signal: null })
    expect({ stdout, stderr }).toEqual({ stdout: `worker ended with ${code}\n`, stderr: '' })
    expect(rows()).toHaveLength(1)
  })

  it('leaves one row where it fails', async () => {
    const { stdout } = await runProgram('worker.js', ['error'], options())
    expect(stdout).toBe('worker failed: in the worker\nworker ended with 1\n')
    expect(rows()).toHaveLength(1)
  })

  it('disturbs nobody where it is terminated', async () => {
    const { code, stdout, stderr } = await runProgram('worker.js', ['terminated'], options())
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'worker ended with 1\n', stderr: '' })
    expect(rows().length).toBeLessThanOrEqual(1)
  })
})

describe('a tracked program', () => {
  it('has an stdout of its own and no connection to anywhere', async () => {
    const { code, stdout } = await runProgram('quiet.js', [], options({ CODECARBON_LOG_LEVEL: 'debug' }))
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' })
    expect(rows()).toHaveLength(3)
  })

  it('does not mind that nobody reads its stderr', async () => {
    const child = startProgram('quiet.js', [], { ...options({ CODECARBON_LOG_LEVEL: 'debug' }), input: '' })
    child.process.stderr.destroy()
    expect(await child.ended).toMatchObject({ code: 0, stdout: '' })
    expect(rows()).toHaveLength(3)
  })
})
