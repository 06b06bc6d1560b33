import { PassThrough } from 'node:stream'
import { connect } from 'node:net'
import Koa from 'koa'
import { describe, expect, expectTypeOf, it, onTestFinished } from 'vitest'
import { currentScope } from '../../../src/index.ts'
import { httpHook } from '../../../src/integrations/express/hook.ts'
import { koaHook } from '../../../src/integrations/koa/hook.ts'
import { carbon, scopeOf, type KoaOptions } from '../../../src/integrations/koa/koa.ts'
import { setProcessScopes } from '../../../src/scopes/process-scopes.ts'
import { recordScopes, type RecordedScopes } from '../http/recorded-scopes.ts'
import { ask, serve, type Served } from '../http/serve.ts'

/** Does what `@koa/router` does: it leaves the template at the context, and calls what belongs to it. */
function router(routes: Readonly<Record<string, Koa.Middleware>>): Koa.Middleware {
  return (context, next) => {
    for (const [template, handler] of Object.entries(routes)) {
      if (!new RegExp(`^${template.replace(/:\w+/g, '[^/]+')}$`).test(context.path)) continue
      Object.assign(context, { _matchedRoute: template })
      return handler(context, next)
    }
    return next()
  }
}

async function tracked(
  routes: Readonly<Record<string, Koa.Middleware>>,
  options: KoaOptions = {},
): Promise<Served & { readonly scopes: RecordedScopes }> {
  const scopes = recordScopes()
  const app = new Koa()
  app.silent = true
  app.use(carbon({ tracker: scopes, ...options }))
  app.use(router(routes))
  return { ...(await serve(app.callback())), scopes }
}

describe('a request to Koa', () => {
  it('is a scope by its method, route and outcome', async () => {
    const { url, scopes } = await tracked({
      '/users/:id': (context) => {
        context.body = 'one'
      },
      '/throws': () => {
        throw new Error('as it should')
      },
      '/refuses': (context) => context.throw(403),
    })
    expect(await ask(`${url}/users/42`)).toBe('200 one')
    for (const path of ['/throws', '/refuses', '/else/42']) await ask(url + path)
    expect(await scopes.untilEnded(4)).toEqual([
      'GET /users/:id 2xx',
      'GET /throws 5xx',
      'GET /refuses 4xx',
      'GET _unmatched 4xx',
    ])
  })

  it('is measured to the end of a stream, or until its client goes away', async () => {
    const body = new PassThrough()
    const { url, port, scopes } = await tracked({
      '/stream': (context) => {
        context.body = body
        body.write('begin')
      },
      '/events': (context) => {
        const events = new PassThrough()
        context.body = events
        events.write('data')
        setImmediate(() => socket.destroy())
      },
    })
    const response = await fetch(`${url}/stream`)
    expect(scopes.open()).toBe(1)
    body.end('end')
    expect(await response.text()).toBe('beginend')
    await scopes.untilEnded(1)
    const socket = connect(port, '127.0.0.1')
    socket.write('GET /events HTTP/1.1\r\nHost: here\r\n\r\n')
    expect(await scopes.untilEnded(2)).toEqual(['GET /stream 2xx', 'GET /events aborted'])
  })

  it.each([[true], [false]])(
    'is the current scope of its handlers where that is asked for: %s',
    async (asked) => {
      const { url, scopes } = await tracked(
        {
          '/': async (context) => {
            await Promise.resolve()
            context.body = [currentScope()?.kind, scopeOf(context.req)?.kind]
          },
          '/health': (context) => {
            context.body = [scopeOf(context.req) === undefined]
          },
        },
        { currentScope: asked, exclude: ['/health'] },
      )
      expect(await ask(url)).toBe(`200 ["${asked ? 'request' : ''}","request"]`.replace('""', 'null'))
      expect(await ask(`${url}/health`)).toBe('200 [true]')
      await scopes.untilEnded(1)
      expect(scopes.begun()).toBe(1)
    },
  )

  it('tells the mean of its route in headers where that is asked for', async () => {
    const { url, scopes } = await tracked(
      {
        '/users/:id': (context) => {
          context.body = 'one'
        },
      },
      { emissionsHeader: true },
    )
    await ask(`${url}/users/1`)
    await scopes.untilEnded(1)
    const { headers } = await fetch(`${url}/users/2`)
    expect(headers.get('carbon-emissions-scope-2')).toBe('0.0000123')
  })
})

it('the hooks of register measure each app, once and with its routes', async () => {
  const scopes = recordScopes()
  setProcessScopes(scopes)
  onTestFinished(() => setProcessScopes(undefined))
  httpHook.install({}, { name: 'node:http', version: undefined })
  koaHook.install(Koa as never, { name: 'koa', version: '3.3.0' })
  const answer: Koa.Middleware = (context) => {
    context.body = 'one'
  }
  const app = new Koa().use(router({ '/users/:id': answer }))
  const { url } = await serve(app.callback())
  await ask(`${url}/users/1`)
  expect(await scopes.untilEnded(1)).toEqual(['GET /users/:id 2xx'])
  expect(app.middleware).toHaveLength(2)
})

it('a middleware is what Koa takes', () => {
  expectTypeOf(carbon()).toExtend<Koa.Middleware>()
})
