import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import type { Fetch } from '../../src/http/http-request.ts'
import { createJsonApi, type JsonApi } from '../../src/http/json-api.ts'
import { kindOfHead, Refusal, usualWords } from '../../src/http/refusal.ts'
import { Secret } from '../../src/http/secret.ts'
import { fakeClock } from '../fixtures/fake-clock.ts'
import { recordingFetch } from '../fixtures/recording-fetch.ts'

class ShopRefusal extends Refusal<'sold out'> {
  override readonly name = 'ShopRefusal'
}

const shop = (fetch: Fetch): JsonApi =>
  createJsonApi({
    name: 'The shop',
    url: 'https://shop.test/eu',
    basePath: '/api/',
    headers: { authorization: 'Bearer abc' },
    rules: {
      codeIn: ({ code }) => (typeof code === 'string' || typeof code === 'number' ? code : undefined),
      kindOf: (head, code) => (code === 'GONE' ? 'sold out' : kindOfHead(head)),
      words: { ...usualWords, access: 'does not allow it', address: 'is not there', 'sold out': 'has none' },
      Refusal: ShopRefusal,
    },
    fetch,
    clock: fakeClock(),
  })

const answering =
  (status: number, text: string, headers: Readonly<Record<string, string>> = {}): Fetch =>
  () =>
    Promise.resolve({
      status,
      headers: { get: (name) => headers[name] ?? null },
      body: (async function* () {
        await Promise.resolve()
        yield Buffer.from(text)
      })(),
    })

const refusalOf = (fetch: Fetch): Promise<ShopRefusal> =>
  shop(fetch)
    .call({ path: 'buy' }, 1000)
    .then(
      () => expect.fail('it was taken'),
      (error: unknown) => error as ShopRefusal,
    )

describe('an API in JSON', () => {
  it('is asked with GET, with POST for a body, and as an upload says', async () => {
    const { fetch, sent } = recordingFetch()
    const { call, server } = shop(fetch)
    const { signal } = new AbortController()
    await call({ path: 'list', query: { name: 'a b' } }, 1000, signal)
    await call({ path: 'buy', body: { count: 2 } }, 1000, signal)
    const upload = { method: 'PUT', contentType: 'text/csv', bytes: Buffer.from('a,b') } as const
    await call({ path: 'file', upload }, 1000, signal)
    expect(server).toBe('The shop at shop.test')
    expect(
      sent.map(({ url, method, body, headers }) => [url, method, body, headers['content-type']]),
    ).toEqual([
      ['https://shop.test/eu/api/list?name=a+b', undefined, undefined, undefined],
      ['https://shop.test/eu/api/buy', 'POST', '{"count":2}', 'application/json'],
      ['https://shop.test/eu/api/file', 'PUT', 'a,b', 'text/csv'],
    ])
    for (const { headers, redirect } of sent) {
      expect(headers).toMatchObject({ accept: 'application/json', authorization: 'Bearer abc' })
      expect(redirect).toBe('manual')
    }
  })

  it.each([
    ['{"a":1}', { a: 1 }],
    ['[1]', [1]],
    ['"text"', {}],
    ['null', {}],
    ['', {}],
    ['<html>', {}],
  ])('that answers %s has told these fields', async (text, fields) => {
    expect(await shop(answering(200, text)).call({ path: 'list' }, 1000)).toEqual(fields)
  })

  it.each([
    [409, '{"code":"GONE"}', {}, 'sold out', 'has none (HTTP 409, GONE)'],
    [400, '{"code":7}', {}, 'refused', 'did not take it (HTTP 400, code 7)'],
    [200, '', { 'content-type': 'Text/HTML; x' }, 'address', 'is not there (HTTP 200, a web page)'],
    [302, '', {}, 'address', 'is not there (HTTP 302)'],
    [403, 'a secret', {}, 'access', 'does not allow it (HTTP 403)'],
    [408, '', {}, 'no answer', 'gave no answer (HTTP 408)'],
    [429, '', {}, 'busy', 'was asked too often (HTTP 429)'],
    [502, '', {}, 'server', 'is not able to answer at the moment (HTTP 502)'],
  ] as const)('that answers %s %s refuses', async (status, text, headers, kind, message) => {
    const refusal = await refusalOf(answering(status, text, headers))
    expect(refusal).toBeInstanceOf(ShopRefusal)
    expect(refusal).toMatchObject({ name: 'ShopRefusal', kind, message, retryAfterMs: undefined })
    expect(refusal.mayPass).toBe(['no answer', 'busy', 'server'].includes(kind))
    expect(refusal.isUncertain).toBe(['no answer', 'server'].includes(kind))
  })

  it('that asks to be left alone says for how long', async () => {
    const refusal = await refusalOf(answering(503, '', { 'retry-after': '7' }))
    expect(refusal.retryAfterMs).toBe(7000)
  })

  it.each([
    ['ECONNREFUSED', 'unreachable'],
    ['CERT_HAS_EXPIRED', 'unreachable'],
    ['ECONNRESET', 'no answer'],
  ])('whose connection fails by %s has it carried out or not: %s', async (code, kind) => {
    const fetch = (): Promise<never> => Promise.reject(Object.assign(new Error('x'), { code }))
    const { kind: found, mayPass, isUncertain } = await refusalOf(fetch)
    expect({ found, mayPass, isUncertain }).toEqual({
      found: kind,
      mayPass: true,
      isUncertain: kind === 'no answer',
    })
  })
})

it('a secret is shown to nobody who does not ask for it', () => {
  const secret = new Secret('hunter2')
  expect(
    [String(secret), JSON.stringify({ secret }), inspect(secret, { showHidden: true })].join(),
  ).not.toContain('hunter2')
  expect(secret.reveal()).toBe('hunter2')
})
