import type { OutgoingHttpHeaders } from 'node:http'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import { createDelivery, type Delivery, type DeliveryOptions } from '../../src/exporters/delivery.ts'
import { httpRequest } from '../../src/http/http-request.ts'
import { fakeClock } from '../fixtures/fake-clock.ts'
import { startServer, type Answer } from '../fixtures/local-server.ts'

const deliveryWith = (options: Partial<DeliveryOptions> = {}): Delivery =>
  createDelivery({
    service: 'the service at example.test',
    credentials: 'the password',
    addressOption: 'some_url',
    fetch: httpRequest,
    clock: systemClock,
    timeoutMs: 2000,
    lastChanceMs: 1500,
    ...options,
  })

const requestTo = (url: string): Parameters<Delivery['send']>[0] => ({
  url,
  method: 'POST',
  headers: { authorization: 'Basic c2VjcmV0' },
  body: '{}',
})

const status =
  (code: number, headers: OutgoingHttpHeaders = {}, body = ''): Answer =>
  (_request, response) => {
    response.writeHead(code, headers).end(body)
  }

const page = { 'content-type': 'text/html; charset=utf-8' }

describe('what is not taken', () => {
  it.each([
    ['a page', status(200, page, '<h1>Log in</h1>'), 'answered with a web page: check some_url'],
    [
      'a redirect',
      status(302, { location: '/' }),
      'answered with a redirect, which is not followed (HTTP 302)',
    ],
    ['400', status(400, {}, 'secret'), 'did not take the figures (HTTP 400)'],
    ['401', status(401), 'does not accept the credentials (HTTP 401): check the password'],
    ['403', status(403, page), 'does not accept the credentials (HTTP 403, a web page): check the password'],
    ['404', status(404), 'takes no figures at this address (HTTP 404): check some_url'],
    ['429', status(429), 'was asked too often (HTTP 429)'],
    ['500', status(500), 'is not able to take the figures (HTTP 500)'],
    ['a page of a proxy', status(502, page), 'is not able to take the figures (HTTP 502, a web page)'],
    [
      'a connection that is broken off',
      (request) => request.socket.destroy(),
      'cannot be reached: the connection was broken off',
    ],
  ] satisfies [string, Answer, string][])('is named: %s', async (_what, answer, words) => {
    const server = await startServer(answer)
    const sent = deliveryWith().send(requestTo(server.url), 'flush')
    await expect(sent).rejects.toMatchObject({
      code: 'ERR_EXPORT_FAILED',
      message: `the service at example.test ${words}`,
    })
    expect(server.requests).toHaveLength(1)
  })

  it('follows no redirect with its credentials', async () => {
    const elsewhere = await startServer({})
    const server = await startServer(status(307, { location: elsewhere.url }))
    await expect(deliveryWith().send(requestTo(server.url), 'stop')).rejects.toThrow('redirect')
    expect([server.requests.length, elsewhere.requests.length]).toEqual([1, 0])
  })

  it('is given up where no answer comes in time', async () => {
    const server = await startServer(() => undefined)
    const clock = fakeClock()
    const sent = deliveryWith({ clock }).send(requestTo(server.url), 'flush')
    await server.asked(1)
    clock.advance(3)
    await expect(sent).rejects.toThrow('gave no complete answer within 2 s')
    await server.brokenOff
    expect(clock.waiting).toBe(0)
  })
})

describe('a live report', () => {
  it('leaves a service that failed alone for a time that grows, and then tries again', async () => {
    const server = await startServer(status(500))
    const clock = fakeClock()
    const delivery = deliveryWith({ clock })
    const live = (): Promise<unknown> =>
      delivery.send(requestTo(server.url), 'live').catch((error: unknown) => error)
    const asked: number[] = []
    for (let second = 0; second < 300; second += 1) {
      const before = server.requests.length
      const answer = await live()
      expect(answer).toMatchObject({ message: expect.stringContaining('HTTP 500') as string })
      if (server.requests.length > before) asked.push(second)
      clock.advance(1)
    }
    expect(asked).toEqual([0, 2, 6, 14, 30, 62, 122, 182, 242])
    server.answerWith(status(202))
    clock.advance(60)
    expect(await live()).toBeUndefined()
    expect(await live()).toBeUndefined()
  })

  it('waits for as long as it is asked to', async () => {
    const server = await startServer(status(503, { 'retry-after': '600' }))
    const clock = fakeClock()
    const delivery = deliveryWith({ clock })
    const live = (): Promise<unknown> => delivery.send(requestTo(server.url), 'live').catch(() => undefined)
    await live()
    clock.advance(599)
    await live()
    expect(server.requests).toHaveLength(1)
    clock.advance(2)
    await live()
    expect(server.requests).toHaveLength(2)
  })

  it('does not stand in the way of a flush', async () => {
    const server = await startServer(status(500))
    const delivery = deliveryWith()
    await delivery.send(requestTo(server.url), 'live').catch(() => undefined)
    server.answerWith(status(200))
    await delivery.send(requestTo(server.url), 'flush')
    expect(server.requests).toHaveLength(2)
  })
})

describe('the last chance', () => {
  it('is taken again where it may pass', async () => {
    const server = await startServer((_request, response) => {
      response.writeHead(server.requests.length < 3 ? 503 : 202).end()
    })
    await deliveryWith().send(requestTo(server.url), 'stop')
    expect(server.requests).toHaveLength(3)
  })

  it('is taken when the service comes back', async () => {
    const gone = await startServer({})
    await gone.close()
    const port = Number(new URL(gone.url).port)
    const sent = deliveryWith().send(requestTo(gone.url), 'stop')
    await new Promise((resolve) => setTimeout(resolve, 50))
    const server = await startServer(status(200), port)
    await sent
    expect(server.requests).toHaveLength(1)
  })

  it('ends with its time', async () => {
    const server = await startServer(status(500))
    const begin = performance.now()
    const sent = deliveryWith({ lastChanceMs: 400 }).send(requestTo(server.url), 'stop')
    await expect(sent).rejects.toThrow('HTTP 500')
    expect(performance.now() - begin).toBeLessThan(700)
    expect(server.requests).toHaveLength(3)
  })

  it('is not taken again where it would be refused again', async () => {
    const server = await startServer(status(401))
    await expect(deliveryWith().send(requestTo(server.url), 'stop')).rejects.toThrow('HTTP 401')
    expect(server.requests).toHaveLength(1)
  })

  it('does not wait for a moment that lies behind its end', async () => {
    const server = await startServer(status(503, { 'retry-after': '30' }))
    await expect(deliveryWith().send(requestTo(server.url), 'stop')).rejects.toThrow('HTTP 503')
    expect(server.requests).toHaveLength(1)
  })
})
