import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { currentScope, withCarbon } from '../../src/index.ts'
import { memory } from '../fixtures/programs/frameworks/agenda-memory.js'
import { recordingScopes } from '../fixtures/recording-scopes.ts'

const packages = process.env['E2E_JOBS']
if (packages === undefined)
  console.log('Skipped: Agenda. Set E2E_JOBS to a folder in which agenda is installed, as .ci/run does.')

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
          ends.push(`${(job as { attrs: { name: string } }).attrs.name} ${event}`)
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
