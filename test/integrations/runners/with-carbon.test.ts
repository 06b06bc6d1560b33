import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Bree from 'bree'
import { Piscina } from 'piscina'
import { describe, expect, it, onTestFinished } from 'vitest'
import { currentScope, withCarbon } from '../../../src/index.ts'
import { temporaryFolder } from '../../fixtures/programs/temporary-folder.ts'
import { recordingScopes } from '../../fixtures/recording-scopes.ts'
import { scopesIn } from '../../fixtures/scope-lines.ts'

const programs = fileURLToPath(new URL('../../fixtures/programs/', import.meta.url))

/** Options of a worker thread that knows a tracker, as `codecarbon/register` has it, and the file in which its scopes are. */
function knowingTracker(): { execArgv: string[]; env: Record<string, string>; file: string } {
  const file = join(temporaryFolder(), 'scopes.jsonl')
  return { execArgv: ['--import', join(programs, 'job-child.js')], env: { SCOPES_FILE: file }, file }
}

describe('withCarbon around what others run', () => {
  it('measures the worker of a Piscina in its own thread', async () => {
    const { execArgv, env, file } = knowingTracker()
    const pool = new Piscina({ filename: join(programs, 'piscina-worker.js'), maxThreads: 2, execArgv, env })
    const sizes = await Promise.all([2, 4, 6].map((size) => pool.run({ size }) as Promise<number>))
    await pool.close()
    expect(sizes).toEqual([1, 2, 3])
    const told = scopesIn(file)
    expect(told).toHaveLength(3)
    expect(told[0]).toMatchObject({ name: 'thumbnail', kind: 'job', outcome: 'ok', isMainThread: false })
  })

  it('measures tasks of a Piscina where they are handed out', async () => {
    const tracker = recordingScopes()
    const pool = new Piscina({
      filename: join(programs, 'piscina-worker.js'),
      maxThreads: 1,
      ...knowingTracker(),
    })
    onTestFinished(() => pool.close())
    const thumbnail = withCarbon('thumbnail', (size: number) => pool.run({ size }) as Promise<number>, {
      tracker,
    })
    expect(await thumbnail(8)).toBe(4)
    expect(tracker.scopes).toMatchObject([{ name: 'thumbnail', outcomes: ['ok'] }])
  })

  it('measures a job of Bree in its own thread', async () => {
    const { execArgv, env, file } = knowingTracker()
    const messages: unknown[] = []
    const bree = new Bree({
      root: false,
      logger: false,
      jobs: [{ name: 'clean', path: join(programs, 'bree-job.js'), worker: { execArgv, env } }],
      workerMessageHandler: ({ message }: { message: unknown }) => void messages.push(message),
    })
    const gone = new Promise((resolve) => bree.on('worker deleted', resolve))
    await bree.run('clean')
    await gone
    expect(messages).toEqual(['removed 3', 'done'])
    expect(scopesIn(file)).toMatchObject([{ name: 'clean up', outcome: 'ok', isMainThread: false }])
  })

  it('keeps a callback that a runner asks for by the number of parameters; the job is measured until it returns', async () => {
    const tracker = recordingScopes()
    const job = withCarbon(
      'mail',
      (_job: object, done: (error?: Error) => void) => {
        setImmediate(done)
        return currentScope()?.name
      },
      { tracker },
    )
    expect(job).toHaveLength(2)
    const done = new Promise<void>((resolve) => {
      expect(job({}, () => resolve())).toBe('mail')
    })
    expect(tracker.scopes.map(({ outcomes }) => outcomes)).toEqual([['ok']])
    await done
  })

  it('measures a function that has a callback until it calls back, where that is asked for', async () => {
    const tracker = recordingScopes()
    const seen: unknown[] = []
    const told: unknown[] = []
    const outcomes = () => tracker.scopes.map((scope) => [...scope.outcomes])
    const job = withCarbon(
      'mail',
      function (this: unknown, _job: object, done: (error?: Error | null, result?: string) => void) {
        seen.push(this, currentScope()?.name)
        setImmediate(() => {
          seen.push(outcomes())
          done(null, 'sent')
          done(new Error('once more'))
        })
        return 'at once'
      },
      { tracker, done: true, onRecord: ({ outcome }) => void told.push(outcome) },
    )
    expect(job).toHaveLength(2)
    const runner = { job }
    const results: unknown[] = []
    await new Promise<void>((resolve) => {
      const done = (...given: unknown[]): void => {
        results.push(given)
        if (results.length === 2) resolve()
      }
      expect(runner.job({}, done)).toBe('at once')
    })
    expect(seen).toEqual([runner, 'mail', [[]]])
    expect(results).toEqual([[null, 'sent'], [new Error('once more')]])
    expect(outcomes()).toEqual([['ok']])
    expect(told).toEqual(['ok'])
  })

  it('tells how a function with a callback has failed, and that one without has returned', async () => {
    const tracker = recordingScopes()
    const options = { tracker, done: true } as const
    const no = new Error('no')
    withCarbon('calls back', (done: (error: unknown) => void) => done(no), options)(() => undefined)
    const throws = withCarbon(
      'throws',
      (_done: () => void) => {
        throw no
      },
      options,
    )
    expect(() => throws(() => undefined)).toThrow(no)
    const rejects = withCarbon('rejects', (_done: () => void) => Promise.reject(no), options)
    await expect(rejects(() => undefined)).rejects.toBe(no)
    const waits = withCarbon('async', async (_done: () => void) => undefined, options)
    await waits(() => undefined)
    expect(await withCarbon('without', async (size: number) => size, options)(1)).toBe(1)
    expect(tracker.scopes.map(({ name, outcomes }) => [name, outcomes])).toEqual([
      ['calls back', ['error']],
      ['throws', ['error']],
      ['rejects', ['error']],
      ['async', []],
      ['without', ['ok']],
    ])
    expect(() => withCarbon('wrong', () => undefined, { done: 'yes' as never })).toThrow(
      'withCarbon: option done: expected true or false, got string',
    )
  })
})
