import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Bree from 'bree'
import { Piscina } from 'piscina'
import { describe, expect, it, onTestFinished } from 'vitest'
import { currentScope, withCarbon } from '../../../src/index.ts'
import { runProgram } from '../../fixtures/programs/child.ts'
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
  })

  it.each([
    [{ done: 'yes' }, 'withCarbon: option done: expected true or false, got string'],
    [
      { kind: 'cron' },
      'option kind: expected one of task, job, request, training, inference, model call, test, got "cron"',
    ],
    [{ kind: 'constructor' }, 'got "constructor"'],
    [{ labels: null }, 'option labels: expected an object of texts, got null'],
    [{ labels: () => ({ queue: 'night' }) }, 'option labels: expected an object of texts, got function'],
    [{ onRecord: 'me' }, 'option onRecord: expected a function, got string'],
  ])('refuses %o', (options, message) => {
    expect(() => withCarbon('wrong', () => undefined, options as never)).toThrow(message)
  })

  it('returns a promise that it was given as it is, and what else it can do', async () => {
    const tracker = recordingScopes()
    class Cancelable extends Promise<number> {
      cancel(): string {
        return 'cancelled'
      }
    }
    const promise = Object.assign(new Cancelable((resolve) => resolve(1)), { kill: () => true })
    for (const done of [false, true]) {
      const job = withCarbon('job', (_done?: () => void) => promise, { tracker, done })
      expect(job(() => undefined)).toBe(promise)
    }
    const job = withCarbon('job', () => promise, { tracker })
    expect(job()).toBe(promise)
    expect([promise.kill(), promise.cancel(), Object.keys(promise)]).toEqual([true, 'cancelled', ['kill']])
    expect(tracker.scopes.map(({ outcomes }) => outcomes)).toEqual([[], [], []])
    await promise
    expect(tracker.scopes.map(({ outcomes }) => outcomes)).toEqual([['ok'], [], ['ok']])
  })

  it('has ended before whoever awaits it goes on, and rejects with the very same error', async () => {
    const tracker = recordingScopes()
    const no = new Error('no')
    const outcomes = () => tracker.scopes.map((scope) => [...scope.outcomes])
    const fails = [() => Promise.reject(no), async () => Promise.reject(no)]
    for (const fn of fails) {
      const seen = await withCarbon('job', fn, { tracker })().catch((error: unknown) => [
        error,
        outcomes().at(-1),
      ])
      expect(seen).toEqual([no, ['error']])
      expect(seen[0]).toBe(no)
    }
  })

  it('begins nothing that begins when it is awaited, and leaves alone a promise that nobody can listen to', async () => {
    const tracker = recordingScopes()
    let begun = 0
    class Query extends Promise<number> {
      constructor(_database: string, resolver: (resolve: (value: number) => void) => void) {
        super(resolver)
      }
      // oxlint-disable-next-line unicorn/no-thenable -- what is tested
      override then(): never {
        begun += 1
        throw new Error('not awaited')
      }
    }
    // oxlint-disable-next-line unicorn/no-thenable -- what is tested
    const builder = { then: () => void (begun += 1) }
    const query = new Query('main', (resolve) => resolve(1))
    expect(withCarbon('builder', () => builder, { tracker })()).toBe(builder)
    expect(
      withCarbon('builder', (_done: () => void) => builder, { tracker, done: true })(() => undefined),
    ).toBe(builder)
    expect(withCarbon('query', () => query, { tracker })()).toBe(query)
    await Promise.resolve()
    expect(begun).toBe(0)
    expect(tracker.scopes.map(({ outcomes }) => outcomes)).toEqual([['ok'], [], ['ok']])
  })

  it('handles no rejection that the program leaves unhandled, and leaves none unhandled that it handles', async () => {
    const [bare, measured] = await Promise.all(
      ['bare', 'measured'].map((way) => runProgram('rejections.js', [way], { folder: temporaryFolder() })),
    )
    const heard = (stdout = '') => stdout.split('\n').filter((line) => line.startsWith('unhandled'))
    expect(heard(bare?.stdout)).toEqual([
      'unhandled Error: ignored, of promise 2',
      'unhandled Error: ignored twice, of promise 3',
      'unhandled Error: ignored, with a callback, of promise 5',
      'unhandled Error: ignored by a runner, of promise 6',
      'unhandled Error: ignored by a runner, of promise 7',
    ])
    expect(heard(measured?.stdout)).toEqual(heard(bare?.stdout))
    expect(measured?.stdout.match(/^ended error$/gm)).toHaveLength(7)
    expect(measured?.stderr).toBe('')
  })
})
