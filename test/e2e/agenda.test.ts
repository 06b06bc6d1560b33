import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { currentScope, withCarbon } from '../../src/index.ts'
import { recordingScopes } from '../fixtures/recording-scopes.ts'

const packages = process.env['E2E_JOBS']
if (packages === undefined)
  console.log('Skipped: Agenda. Set E2E_JOBS to a folder in which agenda is installed, as .ci/run does.')

/** A job as Agenda has it stored. */
interface Stored {
  readonly _id?: string
  readonly name: string
  nextRunAt?: Date | null
  lockedAt?: Date | undefined
}

const idOf = ({ _id: id }: Stored): string | undefined => id

/** Jobs that are kept in memory: what the databases of Agenda do, as far as these tests need it. */
function memory() {
  const jobs = new Map<string, Stored>()
  const isFree = ({ lockedAt }: Stored, deadline: Date): boolean =>
    lockedAt === undefined || lockedAt <= deadline
  const repository = {
    connect: async () => undefined,
    queryJobs: async () => ({ jobs: [...jobs.values()], total: jobs.size }),
    getJobById: async (id: string) => jobs.get(id) ?? null,
    getQueueSize: async () => jobs.size,
    removeJobs: async () => 0,
    async saveJob(job: Stored) {
      const id = idOf(job) ?? String(jobs.size + 1)
      const stored = { ...job, _id: id }
      jobs.set(id, stored)
      return stored
    },
    async saveJobState(job: Stored) {
      jobs.set(idOf(job) ?? '', { ...job })
    },
    async lockJob(job: Stored) {
      const stored = jobs.get(idOf(job) ?? '')
      if (stored === undefined || stored.lockedAt !== undefined) return undefined
      stored.lockedAt = new Date()
      return { ...stored }
    },
    unlockJob: async () => undefined,
    unlockJobs: async () => undefined,
    async getNextJobToRun(name: string, nextScanAt: Date, deadline: Date) {
      const next = [...jobs.values()].find(
        (job) =>
          job.name === name && isFree(job, deadline) && job.nextRunAt != null && job.nextRunAt <= nextScanAt,
      )
      if (next === undefined) return undefined
      next.lockedAt = new Date()
      return { ...next }
    },
  }
  return { name: 'memory', repository, connect: async () => undefined, disconnect: async () => undefined }
}

/** As much of Agenda as is used here. */
interface Agenda {
  define(name: string, handler: (...args: never[]) => unknown): void
  start(): Promise<void>
  stop(): Promise<void>
  now(name: string): Promise<unknown>
  on(event: string, listener: (...args: never[]) => void): void
}

describe.skipIf(packages === undefined)('Agenda', () => {
  it('runs handlers that withCarbon measures, those with a callback too', async () => {
    const { resolve } = createRequire(join(packages ?? '', 'package.json'))
    const { Agenda } = (await import(pathToFileURL(resolve('agenda')).href)) as {
      Agenda: new (options: object) => Agenda
    }
    const agenda = new Agenda({ backend: memory(), processEvery: 100 })
    const tracker = recordingScopes()
    const ends: string[] = []
    const seen: unknown[] = []
    const measured = (name: string, handler: (...args: never[]) => unknown, done = false) => {
      agenda.define(name, withCarbon(name, handler, { tracker, done }))
    }
    measured('mail', async () => void seen.push(currentScope()?.name))
    measured('failing', async () => Promise.reject(new Error('no server')))
    const callsBack = (_job: never, done: () => void): void => {
      setTimeout(() => {
        seen.push(tracker.scopes.find(({ name }) => name === 'with callback')?.outcomes.length)
        done()
      }, 10)
    }
    measured('with callback', callsBack, true)
    measured('failing callback', (_job: never, done: (e: Error) => void) => done(new Error('no')), true)
    const all = new Promise<void>((resolveAll) => {
      for (const event of ['success', 'fail'])
        agenda.on(event, (...args: unknown[]) => {
          const job = args.find((one) => typeof one === 'object' && one !== null && 'attrs' in one)
          ends.push(`${(job as { attrs: Stored }).attrs.name} ${event}`)
          if (ends.length === 4) resolveAll()
        })
    })
    agenda.on('error', () => undefined)
    await agenda.start()
    for (const name of ['mail', 'failing', 'with callback', 'failing callback']) await agenda.now(name)
    await all
    await agenda.stop()
    expect(ends.toSorted()).toEqual([
      'failing callback fail',
      'failing fail',
      'mail success',
      'with callback success',
    ])
    expect(seen).toEqual(['mail', 0])
    expect(Object.fromEntries(tracker.scopes.map(({ name, outcomes }) => [name, outcomes]))).toEqual({
      mail: ['ok'],
      failing: ['error'],
      'with callback': ['ok'],
      'failing callback': ['error'],
    })
  })
})
