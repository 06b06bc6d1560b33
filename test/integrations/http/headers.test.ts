import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { ScopeRecord } from '../../../src/scopes/work-scope.ts'
import { recordScopes } from './recorded-scopes.ts'
import { ask } from './serve.ts'
import { tracked } from './tracked.ts'

const entry = 'carbon;desc="mean mgCO2eq of this route";dur=0.0123'

describe('headers', () => {
  it('tell the mean of the route once there is one, and nothing before', async () => {
    const { url, scopes } = await tracked(
      (_request, response) => {
        response.setHeader('server-timing', 'db;dur=3')
        response.end()
      },
      { serverTiming: true, emissionsHeader: true },
    )
    const first = await fetch(url)
    expect(first.headers.get('server-timing')).toBe('db;dur=3')
    expect(first.headers.get('carbon-emissions-scope-2')).toBeNull()
    await scopes.untilEnded(1)
    const second = await fetch(url)
    expect(second.headers.get('server-timing')).toBe(`db;dur=3, ${entry}`)
    expect(second.headers.get('carbon-emissions-scope-2')).toBe('0.0000123')
  })

  it('are not added unless that is asked for', async () => {
    const { url, scopes } = await tracked((_request, response) => void response.end())
    await ask(url)
    await scopes.untilEnded(1)
    const { headers } = await fetch(url)
    expect([...headers.keys()].filter((name) => /timing|carbon/.test(name))).toEqual([])
  })

  it.each<[string, ...unknown[]]>([
    [
      'alone',
      [
        ['x-a', '1'],
        ['set-cookie', 'a=1'],
        ['set-cookie', 'b=2'],
      ],
    ],
    [
      'behind a reason',
      'Fine',
      [
        ['x-a', '1'],
        ['set-cookie', 'a=1'],
        ['set-cookie', 'b=2'],
      ],
    ],
    ['without pairs', ['x-a', '1', 'set-cookie', 'a=1', 'set-cookie', 'b=2']],
  ])('are added to a head that is written as a list: %s', async (_how, ...head) => {
    const { url, scopes } = await tracked(
      (_request, response) => void response.writeHead(200, ...(head as [])).end(),
      { serverTiming: true },
    )
    await ask(url)
    await scopes.untilEnded(1)
    const { status, headers } = await fetch(url)
    expect(status).toBe(200)
    expect(headers.get('x-a')).toBe('1')
    expect(headers.getSetCookie()).toEqual(['a=1', 'b=2'])
    expect(headers.get('server-timing')).toBe(entry)
  })

  it.each([[{ 'no name': '1' }], [[['no name', '1']]]])(
    'are there once where the head is written again, since it was wrong: %j',
    async (wrong) => {
      const { url, scopes } = await tracked(
        (_request, response) => {
          try {
            response.writeHead(200, wrong as never)
          } catch {
            response.statusCode = 500
          }
          response.end()
        },
        { serverTiming: true },
      )
      await ask(url)
      await scopes.untilEnded(1)
      const { status, headers } = await fetch(url)
      expect(status).toBe(500)
      expect(headers.get('server-timing')).toBe(entry)
    },
  )

  it('tell the mean of samples, of which there is one a second', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    onTestFinished(() => void vi.useRealTimers())
    const scopes = recordScopes()
    const grams = [1, 99, 3, 5]
    const tracker: typeof scopes = {
      ...scopes,
      beginScope: (options) => {
        const scope = scopes.beginScope(options)
        const emissionsGrams = grams[scopes.begun() - 1] ?? 0
        const settled = scope.settled.bind(scope)
        scope.settled = async () => ({ ...(await settled()), emissionsGrams }) as ScopeRecord
        return scope
      },
    }
    const { url } = await tracked((_request, response) => void response.end(), {
      tracker,
      emissionsHeader: true,
    })
    const told: unknown[] = []
    for (const [index, sinceMs] of [0, 999, 1, 1000, 1000].entries()) {
      vi.advanceTimersByTime(sinceMs)
      const { headers } = await fetch(url)
      told.push(headers.get('carbon-emissions-scope-2'))
      await scopes.untilEnded(index + 1)
    }
    expect(told).toEqual([null, '1', '1', '2', '3'])
  })
})
