import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Scope } from '../../src/core/scopes.ts'
import { seconds } from '../../src/core/units.ts'
import { EmissionsTracker, type ScopeRecord } from '../../src/index.ts'
import { createThreadTimes, type ThreadTimes } from '../../src/scopes/thread-time.ts'
import { fakeMachine, type FakeMachine } from '../tracker/fake-machine.ts'

/** Times of a thread whose clock the test sets, and what its scopes took. */
function followed(): {
  times: ThreadTimes
  storage: AsyncLocalStorage<Scope>
  work(time: number): void
  of(...scopes: readonly Scope[]): number[]
} {
  const storage = new AsyncLocalStorage<Scope>()
  let now = 0
  const times = createThreadTimes(
    () => storage.getStore(),
    () => seconds(now),
  )
  onTestFinished(() => {
    times.close()
  })
  return {
    times,
    storage,
    work(time) {
      now += time
    },
    of(...scopes) {
      const all = times.take()
      return scopes.map((scope) => all.get(scope) ?? 0)
    },
  }
}

const scopeOf = (name: string): Scope => ({ name }) as unknown as Scope

describe('the time of the thread', () => {
  it('is that of the scope whose callback runs, however they interleave', async () => {
    const { times, storage, work, of } = followed()
    const [a, b] = [scopeOf('a'), scopeOf('b')] as const
    const run = (scope: Scope, time: number): Promise<void> =>
      times.within(scope, () =>
        storage.run(scope, async () => {
          for (let step = 0; step < 10; step += 1) {
            work(time)
            // oxlint-disable-next-line no-await-in-loop -- so that both interleave
            await new Promise((resolve) => setImmediate(resolve))
            work(time)
          }
        }),
      )
    await Promise.all([run(a, 1), run(b, 3)])
    expect(of(a, b)).toEqual([20, 60])
  })

  it('goes on to the outer scope behind an inner one, also when that throws', () => {
    const { times, work, of } = followed()
    const [outer, inner] = [scopeOf('outer'), scopeOf('inner')] as const
    times.within(outer, () => {
      work(1)
      expect(() =>
        times.within(inner, () => {
          work(10)
          throw new Error('inner')
        }),
      ).toThrow('inner')
      work(100)
    })
    work(1000)
    expect(of(outer, inner)).toEqual([101, 10])
  })

  it('goes on behind a callback that ran within another one', () => {
    const { times, storage, work, of } = followed()
    const scope = scopeOf('scope')
    times.within(scope, () => {
      storage.run(scope, () => {
        work(1)
        new AsyncResource('inner').runInAsyncScope(() => undefined)
        work(10)
      })
    })
    expect(of(scope)).toEqual([11])
  })

  it('is told up to the moment at which somebody asks, once', () => {
    const { times, work, of } = followed()
    const scope = scopeOf('scope')
    times.within(scope, () => {
      work(1)
      expect(of(scope)).toEqual([1])
      work(2)
      expect(of(scope)).toEqual([2])
    })
    expect(of(scope)).toEqual([0])
  })
})

/** A running tracker that tells scopes apart by the time of the thread, and what its exporters were told. */
function precise(): { machine: FakeMachine; tracker: EmissionsTracker; told: ScopeRecord[] } {
  const machine = fakeMachine()
  const told: ScopeRecord[] = []
  const exporter = {
    name: 'told',
    export: () => undefined,
    onScopes: (ended: readonly ScopeRecord[]) => void told.push(...ended),
  }
  const options = { ...machine.options, attribution: 'precise', exporters: [exporter] } as const
  return { machine, tracker: new EmissionsTracker(options).start(), told }
}

describe('attribution precise', () => {
  it('tells busy jobs from those that only wait, and adds up', async () => {
    const { machine, tracker, told } = precise()
    const job = (name: string, busyMs: number): Promise<void> => {
      const scope = tracker.beginScope({ name, kind: 'job' })
      return scope.run(async () => {
        for (let step = 0; step < 5; step += 1) {
          const until = performance.now() + busyMs
          while (performance.now() < until);
          // oxlint-disable-next-line no-await-in-loop -- so that both interleave
          await new Promise((resolve) => setImmediate(resolve))
        }
        scope.end('completed')
      })
    }
    const jobs = [job('busy', 10), job('idle', 0)]
    machine.use(200)
    await Promise.all(jobs)
    await tracker.stop()
    const of = (name: string): ScopeRecord | undefined => told.find((record) => record.name === name)
    expect(of('busy')).toMatchObject({ attribution: 'precise', outcome: 'completed' })
    expect(of('busy')?.energyJoules).toBeGreaterThan(1.05 * (of('idle')?.energyJoules ?? NaN))
    const sum = told.reduce((total, { energyJoules = NaN }) => total + energyJoules, 0)
    const rest = Object.values(tracker.unattributed?.energy ?? {}).reduce(
      (total, { value }) => total + value,
      0,
    )
    const total = tracker.finalEmissionsData?.components.reduce(
      (all, { energyJoules = 0 }) => all + energyJoules,
      0,
    )
    expect(sum + rest).toBeCloseTo(total ?? NaN, 6)
  })

  it('gives nobody what goes on behind the end of a scope, and it adds up all the same', async () => {
    const { machine, tracker, told } = precise()
    const scope = tracker.beginScope({ name: 'request', kind: 'request' })
    let ticks = 0
    await new Promise<void>((resolve) => {
      scope.run(() => {
        const timer = setInterval(() => {
          machine.use(10)
          const until = performance.now() + 5
          while (performance.now() < until);
          ticks += 1
          if (ticks === 3) {
            scope.end()
            void tracker.flush()
          }
          if (ticks < 10) return
          clearInterval(timer)
          resolve()
        }, 6)
      })
    })
    await tracker.stop()
    const sum = told.reduce((total, { energyJoules = NaN }) => total + energyJoules, 0)
    const rest = Object.values(tracker.unattributed?.energy ?? {}).reduce(
      (total, { value }) => total + value,
      0,
    )
    expect(told).toHaveLength(1)
    expect(sum + rest).toBeCloseTo(100, 6)
  })
})
