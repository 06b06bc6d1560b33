import { getRequestListener } from '@hono/node-server'
import { Hono, type Context } from 'hono'
import { expect, it } from 'vitest'
import { carbon } from '../../../src/integrations/hono/hono.ts'
import { recordScopes } from '../http/recorded-scopes.ts'
import { ask, serve } from '../http/serve.ts'

const tracked = () => {
  const scopes = recordScopes()
  const app = new Hono()
  app.use(
    carbon({
      tracker: scopes,
      route: (context: Context) => `/in/${context.req.header('host') !== undefined}`,
      include: [(context: Context) => context.req.path !== '/else'],
      exclude: [(context) => context.req.path === '/health'],
    }),
  )
  return { app, scopes }
}

it('functions of the request are given the context, and may be written with its types', async () => {
  const { app, scopes } = tracked()
  const { url } = await serve(getRequestListener(app.fetch))
  for (const path of ['/else', '/health', '/users']) await ask(url + path)
  expect(await scopes.untilEnded(1)).toEqual(['GET /in/true 4xx'])
})

it('they are given it without a server of Node, too', async () => {
  const { app, scopes } = tracked()
  for (const path of ['/else', '/health', '/users']) await app.request(path)
  expect(scopes.ended).toEqual(['GET /in/false 4xx'])
})

it('functions of something else are refused', () => {
  // @ts-expect-error a context is no number
  carbon({ route: (context: number) => String(context) })
})
