import { getRequestListener } from '@hono/node-server'
import express from 'express'
import { Hono } from 'hono'
import Koa from 'koa'
import { expect, it, onTestFinished, vi } from 'vitest'
import { carbon as carbonExpress } from '../../../src/integrations/express/express.ts'
import { carbon as carbonHono } from '../../../src/integrations/hono/hono.ts'
import { carbon as carbonKoa } from '../../../src/integrations/koa/koa.ts'
import { ask, serve } from './serve.ts'

const servers = {
  express() {
    const app = express()
    // @ts-expect-error it is called first
    app.use(carbonExpress)
    return app.use((_request, response) => void response.send('fine'))
  },
  koa() {
    const app = new Koa()
    // @ts-expect-error it is called first
    app.use(carbonKoa)
    app.use((context) => {
      context.body = 'fine'
    })
    return app.callback()
  },
  hono() {
    const app = new Hono()
    // @ts-expect-error it is called first
    app.use(carbonHono)
    return getRequestListener(app.get('/', (context) => context.text('fine')).fetch)
  },
}

it.each(['express', 'koa', 'hono'] as const)(
  'requests to %s are answered where carbon is not called, and that is told once',
  async (framework) => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    onTestFinished(() => warn.mockRestore())
    const { url } = await serve(servers[framework]())
    for (let count = 0; count < 3; count += 1) expect(await ask(url)).toBe('200 fine')
    expect(warn.mock.calls).toEqual([
      [
        `codecarbon/${framework}: nothing is measured: write app.use(carbon()), with parentheses, instead of app.use(carbon)`,
        'CodeCarbonWarning',
      ],
    ])
  },
)
