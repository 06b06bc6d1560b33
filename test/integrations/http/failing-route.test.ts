import express from 'express'
import { expect, it, onTestFinished, vi } from 'vitest'
import { carbon } from '../../../src/integrations/express/express.ts'
import { trackHttpServers } from '../../../src/integrations/http/http.ts'
import { recordScopes } from './recorded-scopes.ts'
import { ask, serve } from './serve.ts'

const fails = (): never => {
  throw new Error('as it should')
}

function watchWarnings(): () => string[] {
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
  onTestFinished(() => warn.mockRestore())
  return () => warn.mock.calls.map(([message]) => String(message))
}

function track(route: () => string | undefined): ReturnType<typeof recordScopes> {
  const scopes = recordScopes()
  const tracking = trackHttpServers({ tracker: scopes, route })
  onTestFinished(() => tracking.stop())
  return scopes
}

const told = 'codecarbon/http: a request had no route of the option route: as it should'

it('a route that throws is told once, and every request is measured without one', async () => {
  const warnings = watchWarnings()
  const scopes = track(fails)
  const { url } = await serve((_request, response) => void response.end('hello'))
  for (let count = 0; count < 15; count += 1) expect(await ask(url)).toBe('200 hello')
  expect(new Set(await scopes.untilEnded(15))).toEqual(new Set(['GET _unmatched 2xx']))
  expect(warnings()).toEqual([told])
})

it.each<[string, () => string | undefined]>([
  ['throws', fails],
  ['knows none', () => undefined],
])('a route that %s leaves the name that another hook knows', async (_what, route) => {
  const warnings = watchWarnings()
  const scopes = track(() => '/a/:id')
  track(route)
  const { url } = await serve((_request, response) => void response.end())
  await ask(`${url}/a/1`)
  expect(await scopes.untilEnded(1)).toEqual(['GET /a/:id 2xx'])
  expect(warnings()).toEqual(route === fails ? [told] : [])
})

it('the later one of two routes is believed', async () => {
  const scopes = track(() => '/first')
  track(() => '/second')
  const { url } = await serve((_request, response) => void response.end())
  await ask(url)
  expect(await scopes.untilEnded(1)).toEqual(['GET /second 2xx'])
})

it('two hooks of one framework tell where a router is mounted once', async () => {
  const scopes = recordScopes()
  const app = express()
  app.use(carbon({ tracker: scopes }), carbon({ route: () => undefined }))
  app.use(
    '/api',
    express.Router().get('/users/:id', (_request, response) => void response.send('one')),
  )
  const { url } = await serve(app)
  await ask(`${url}/api/users/1`)
  expect(await scopes.untilEnded(1)).toEqual(['GET /api/users/:id 2xx'])
})
