import express from 'express'
import { expect, it } from 'vitest'
import { carbon } from '../../../src/integrations/express/express.ts'
import { recordScopes } from '../http/recorded-scopes.ts'
import { ask, serve } from '../http/serve.ts'

it('functions of the request are given that of Express, and may be written with its types', async () => {
  const scopes = recordScopes()
  const app = express()
  app.use(
    carbon({
      tracker: scopes,
      route: (request: express.Request) => `/in/${request.app === app}`,
      include: [(request: express.Request) => request.path !== '/else'],
      exclude: [(request) => request.path === '/health'],
    }),
  )
  const { url } = await serve(app)
  for (const path of ['/else', '/health', '/users']) await ask(url + path)
  expect(await scopes.untilEnded(1)).toEqual(['GET /in/true 4xx'])
})

it('functions of something else are refused', () => {
  // @ts-expect-error a request is no number
  carbon({ route: (request: number) => String(request) })
})
