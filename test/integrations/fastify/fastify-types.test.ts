import Fastify, { type FastifyRequest } from 'fastify'
import { expect, it } from 'vitest'
import { carbon } from '../../../src/integrations/fastify/fastify.ts'
import { recordScopes } from '../http/recorded-scopes.ts'

it('functions of the request are given that of Fastify, and may be written with its types', async () => {
  const scopes = recordScopes()
  const app = Fastify()
  app.register(carbon, {
    tracker: scopes,
    route: (request: FastifyRequest) => `/in/${request.server.hasRoute({ method: 'GET', url: '/users' })}`,
    include: [(request: FastifyRequest) => request.routeOptions.url !== '/else/:id'],
    exclude: [(request) => request.url === '/health'],
  })
  for (const path of ['/users', '/else/:id', '/health']) app.get(path, () => 'fine')
  for (const path of ['/else/1', '/health', '/users']) await app.inject(path)
  expect(scopes.ended).toEqual(['GET /in/true 2xx'])
})

it('functions of something else are refused', () => {
  // @ts-expect-error a request is no number
  Fastify().register(carbon, { route: (request: number) => String(request) })
})
