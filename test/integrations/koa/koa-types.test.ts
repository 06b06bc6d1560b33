import Koa from 'koa'
import { expect, it } from 'vitest'
import { carbon } from '../../../src/integrations/koa/koa.ts'
import { recordScopes } from '../http/recorded-scopes.ts'
import { ask, serve } from '../http/serve.ts'

it('functions of the request are given the context, and may be written with its types', async () => {
  const scopes = recordScopes()
  const app = new Koa()
  app.use(
    carbon({
      tracker: scopes,
      route: (context: Koa.Context) => `/in/${context.app === app}`,
      include: [(context: Koa.Context) => context.path !== '/else'],
      exclude: [(context) => context.path === '/health'],
    }),
  )
  const { url } = await serve(app.callback())
  for (const path of ['/else', '/health', '/users']) await ask(url + path)
  expect(await scopes.untilEnded(1)).toEqual(['GET /in/true 4xx'])
})

it('functions of something else are refused', () => {
  // @ts-expect-error a context is no number
  carbon({ route: (context: number) => String(context) })
})
