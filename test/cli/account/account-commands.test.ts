import type { ServerResponse } from 'node:http'
import { beforeEach, describe, expect, it } from 'vitest'
import {
  loginToken,
  organizationId,
  projectId,
  startAccountServer,
  type AccountServer,
} from '../../fixtures/accounts/account-server.ts'
import { keepLogin } from '../../fixtures/accounts/kept-login.ts'
import { runCli, type Ended } from '../../fixtures/programs/child.ts'
import { temporaryFolder } from '../../fixtures/programs/temporary-folder.ts'

let folder: string
let server: AccountServer

beforeEach(async () => {
  folder = temporaryFolder()
  server = await startAccountServer()
})

async function cli(args: readonly string[]): Promise<Ended> {
  const env = { CODECARBON_API_ENDPOINT: server.url }
  const ended = await runCli(args, { folder, env })
  for (const secret of [loginToken, 'rt-secret']) expect(ended.stdout + ended.stderr).not.toContain(secret)
  return ended
}

describe('test-api', () => {
  it('lists organisations', async () => {
    keepLogin(folder, server.url)
    expect(await cli(['test-api'])).toMatchObject({ code: 0, stderr: '', stdout: `${organizationId}  Ada\n` })
    const { stdout } = await cli(['test-api', '--json'])
    expect(JSON.parse(stdout)).toEqual([
      { id: organizationId, name: 'Ada', description: 'Default organization' },
    ])
  })

  const page = (status: number) => (response: ServerResponse) => {
    response.writeHead(status, { 'content-type': 'text/html' }).end('<p>secret words</p>')
  }
  const json =
    (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
    (response: ServerResponse) => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
    }
  const wrongField = { detail: [{ loc: ['body', 'name'], msg: 'secret words' }] }

  it.each([
    [
      '401',
      json(401, { detail: 'secret words' }),
      'does not accept this login; run: codecarbon login (HTTP 401)',
    ],
    [
      '403',
      json(403, {}),
      'does not allow this user to do that: ask an administrator of the organisation (HTTP 403)',
    ],
    ['404', json(404, {}), 'knows no such organisation, project or experiment: check the ids (HTTP 404)'],
    ['422', json(422, wrongField), 'does not take these values: check names and ids (HTTP 422, name)'],
    ['503', json(503, {}), 'is not able to answer at the moment (HTTP 503)'],
    [
      'a web page',
      page(200),
      'is no CodeCarbon API, but a web page or a log-in of a network: check api_endpoint (HTTP 200, a web page)',
    ],
    [
      'another shape',
      json(200, { a: 'secret words' }),
      'answered otherwise than the CodeCarbon API does: check api_endpoint',
    ],
  ])('has one message for %s', async (_name, answer, words) => {
    keepLogin(folder, server.url)
    server.fail((_request, response) => {
      answer(response)
    })
    const { code, stdout, stderr } = await cli(['test-api'])
    const { host } = new URL(server.url)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toBe(`codecarbon: the CodeCarbon API at ${host} ${words}\n`)
  })

  it('follows nobody to another host with the login', async () => {
    const other = await startAccountServer()
    keepLogin(folder, server.url)
    server.fail((_request, response) => {
      response.writeHead(307, { location: `${other.url}/organizations` }).end()
    })
    const { code, stderr } = await cli(['test-api'])
    expect(code).toBe(1)
    expect(stderr).toContain(
      'sends to another address, which credentials do not follow: check api_endpoint (HTTP 307)',
    )
    expect(other.asked).toEqual([])
  })

  it('shows a login to no other API than that it is for', async () => {
    keepLogin(folder, 'https://api.codecarbon.io')
    const { code, stderr } = await cli(['test-api'])
    expect(code).toBe(1)
    expect(stderr).toContain('the login is for the API at api.codecarbon.io, not for that at 127.0.0.1')
    expect(server.asked).toEqual([])
  })

  it.each([
    ['lacks its token', { access_token: undefined }],
    ['has a token to renew, and no provider', { expires_at: '2020-01-01T00:00:00Z' }],
    ['has no token to renew', { expires_at: '2020-01-01T00:00:00Z', refresh_token: null }],
  ])('says what to do with a login that %s', async (_name, changes) => {
    keepLogin(folder, server.url, changes)
    const { code, stderr } = await cli(['test-api'])
    expect(code).toBe(1)
    expect(stderr).toMatch(/run: codecarbon login|login\.invalid cannot be reached/)
    expect(server.asked).toEqual([])
  })
})

describe('get-token', () => {
  it('prints a new key and nothing else', async () => {
    keepLogin(folder, server.url)
    const ended = await cli(['get-token', projectId])
    expect(ended).toMatchObject({ code: 0, stderr: '', stdout: 'cpt_secret-1\n' })
    expect(server.store.keys.at(-1)).toEqual({ projectId, token: 'cpt_secret-1' })
  })

  it.each(['nonsense', '../organizations'])('has the API judge an id: %s', async (id) => {
    keepLogin(folder, server.url)
    const { code, stdout, stderr } = await cli(['get-token', id])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain('does not take these values')
  })

  it('wants a login', async () => {
    const { code, stderr } = await cli(['get-token', projectId])
    expect([code, stderr]).toEqual([1, 'codecarbon: nobody is logged in; run: codecarbon login\n'])
  })
})

describe('logout', () => {
  it('is content where nobody is logged in', async () => {
    expect(await cli(['logout'])).toMatchObject({ code: 0, stdout: 'nobody was logged in\n', stderr: '' })
  })

  it('forgets a login whose provider cannot be reached, and says that it holds on', async () => {
    keepLogin(folder, server.url)
    const { code, stdout, stderr } = await cli(['logout'])
    expect([code, stdout]).toEqual([1, 'logged out\n'])
    expect(stderr).toContain(
      'not revoked, so that its tokens hold until they end: login.invalid cannot be reached',
    )
    expect((await cli(['logout'])).stdout).toBe('nobody was logged in\n')
  })
})

describe('login', () => {
  it.each([
    [['login', '--device', '--browser'], {}, 'give one of them'],
    [
      ['login'],
      { AUTH_SERVER_WELL_KNOWN: 'http://provider.example/.well-known/x' },
      'expected the https address',
    ],
    [['login', '--callback-port', '70000'], {}, 'Expected a number from 0 to 65535'],
  ])('refuses what is wrong: %j', async (args, env, words) => {
    const { code, stderr } = await runCli(args, {
      folder,
      env: { CODECARBON_API_ENDPOINT: server.url, ...env },
    })
    expect(code).toBe(2)
    expect(stderr).toContain(words)
  })

  it('says that an address has no provider', async () => {
    const env = { CODECARBON_API_ENDPOINT: server.url, AUTH_SERVER_WELL_KNOWN: `${server.url}/.well-known/x` }
    const { code, stderr } = await runCli(['login', '--device'], { folder, env })
    expect(code).toBe(1)
    expect(stderr).toContain('there is no OpenID Connect provider at that address')
  })
})
