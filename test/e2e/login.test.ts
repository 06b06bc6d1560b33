import { readFileSync, statSync, writeFileSync, existsSync, readdirSync } from 'node:fs'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import {
  organizationId,
  startAccountServer,
  type AccountServer,
} from '../fixtures/accounts/account-server.ts'
import { loginFile } from '../fixtures/accounts/kept-login.ts'
import { startProvider, type LocalProvider } from '../fixtures/accounts/oidc-provider.ts'
import { createSmallBrowser } from '../fixtures/accounts/small-browser.ts'
import { runCli, startCli, type Child, type Ended } from '../fixtures/programs/child.ts'
import { temporaryFolder } from '../fixtures/programs/temporary-folder.ts'

const packages = process.env['E2E_OIDC']
if (packages === undefined) {
  console.log('Skipped: login. Set E2E_OIDC to a folder in which oidc-provider is installed.')
}

/** A login as the program keeps it. */
interface Kept {
  readonly access_token: string
  readonly refresh_token: string
}

describe.skipIf(packages === undefined)('a login by a real OpenID Connect provider', () => {
  let folder: string
  let provider: LocalProvider
  let server: AccountServer
  let env: Record<string, string>

  async function start(options: Parameters<typeof startProvider>[1] = {}): Promise<void> {
    provider = await startProvider(packages ?? '', options)
    server = await startAccountServer({ mayEnter: (token) => provider.isAccessToken(token) })
    env = {
      ...provider.env,
      CODECARBON_API_ENDPOINT: server.url,
      BROWSER: '',
      DISPLAY: '',
      WAYLAND_DISPLAY: '',
    }
  }

  beforeEach(async () => {
    folder = temporaryFolder()
    await start()
  })

  const cli = (...args: string[]): Promise<Ended> => runCli(args, { folder, env })
  const kept = (): Kept => JSON.parse(readFileSync(loginFile(folder), 'utf8')) as Kept

  /** What a program says on stderr, as soon as it says it. */
  const said = (child: Child, pattern: RegExp): Promise<string> =>
    new Promise((resolve, reject) => {
      let text = ''
      child.process.stderr.on('data', (more: string) => {
        text += more
        const found = pattern.exec(text)?.[1]
        if (found !== undefined) resolve(found)
      })
      child.ended.then(({ stderr }) => {
        reject(new Error(`it ended without saying ${pattern.source}: ${stderr}`))
      }, reject)
    })

  const address = (child: Child): Promise<string> => said(child, /^(http\S+\/auth\?\S+)\n/m)
  const login = (...args: string[]): Child =>
    startCli(['login', '--browser', '--callback-port', '0', ...args], { folder, env, input: '' })

  async function loggedIn(): Promise<Ended> {
    const child = login()
    const browser = createSmallBrowser()
    await browser.logIn(await browser.open(await address(child)))
    return child.ended
  }

  it('comes about in a browser, and is kept for this user alone', async () => {
    const child = login()
    const browser = createSmallBrowser()
    const asked = await address(child)
    expect(Object.fromEntries(new URL(asked).searchParams)).toMatchObject({
      client_id: 'codecarbon-cli',
      scope: 'openid offline_access',
      response_type: 'code',
      code_challenge_method: 'S256',
      state: expect.stringMatching(/^[\w-]{43}$/) as string,
      nonce: expect.stringMatching(/^[\w-]{43}$/) as string,
      redirect_uri: expect.stringMatching(/^http:\/\/localhost:\d+\/callback$/) as string,
    })
    const page = await browser.logIn(await browser.open(asked))
    expect(page).toMatchObject({ status: 200, text: expect.stringContaining('You are logged in.') as string })
    const { code, stdout, stderr } = await child.ended
    const file = loginFile(folder)
    expect([code, stdout]).toEqual([
      0,
      `logged in to the CodeCarbon API at ${new URL(server.url).host}; kept in ${file}\n`,
    ])
    expect([statSync(file).mode & 0o777, statSync(dirname(file)).mode & 0o777]).toEqual([0o600, 0o700])
    expect(server.asked).toEqual(['GET /auth/check'])
    const { access_token: access, refresh_token: refresh } = kept()
    expect(await provider.isRefreshToken(refresh)).toBe(true)
    expect(stdout + stderr).not.toMatch(new RegExp(`${access}|${refresh}`))
    expect(readdirSync(folder)).toEqual(['home'])
    expect(await cli('test-api')).toMatchObject({ code: 0, stdout: `${organizationId}  Ada\n`, stderr: '' })
  })

  it('has the browser opened that the user has chosen', async () => {
    const opener = join(folder, 'browser')
    writeFileSync(
      opener,
      `#!/bin/sh\nprintf '%s' "$1" >'${folder}/opened.new'; mv '${folder}/opened.new' '${folder}/opened'\n`,
      { mode: 0o755 },
    )
    env['BROWSER'] = opener
    const child = startCli(['login', '--callback-port', '0'], { folder, env, input: '' })
    const printed = await address(child)
    await expect.poll(() => existsSync(join(folder, 'opened'))).toBe(true)
    expect(readFileSync(join(folder, 'opened'), 'utf8')).toBe(printed)
    const browser = createSmallBrowser()
    await browser.logIn(await browser.open(printed))
    expect(await child.ended).toMatchObject({ code: 0 })
  })

  it('comes about on another device where there is no terminal', async () => {
    const child = startCli(['login'], { folder, env, input: '' })
    const [where, code] = await Promise.all([
      said(child, /On any device, open: (\S+)\n/),
      said(child, /and enter the code: (\S+)\n/),
    ])
    const browser = createSmallBrowser()
    const confirm = await browser.submit(await browser.open(where), { user_code: code })
    await browser.logIn(await browser.submit(confirm, {}))
    expect(await child.ended).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^logged in/) as string,
    })
    expect((await cli('test-api')).stdout).toBe(`${organizationId}  Ada\n`)
  })

  it('does not come about where the person on the other device refuses', async () => {
    const child = startCli(['login', '--device'], { folder, env, input: '' })
    const whole = await said(child, /or open: (\S+)\n/)
    const browser = createSmallBrowser()
    await browser.submit(await browser.submit(await browser.open(whole), {}), { abort: 'yes' })
    const { code, stderr } = await child.ended
    expect(code).toBe(1)
    expect(stderr).toMatch(/: the login was refused \(access_denied\)\n$/)
    expect(existsSync(loginFile(folder))).toBe(false)
  })

  it('is renewed when it has ended, by one process at a time', async () => {
    await start({ lifeSeconds: 20 })
    await loggedIn()
    const first = kept()
    const answers = await Promise.all([cli('test-api'), cli('test-api'), cli('test-api')])
    expect(answers.map(({ stderr, code }) => `${code}${stderr}`)).toEqual(['0', '0', '0'])
    const last = kept()
    expect(last.refresh_token).not.toBe(first.refresh_token)
    expect(await provider.isRefreshToken(last.refresh_token)).toBe(true)
    expect(statSync(loginFile(folder)).mode & 0o777).toBe(0o600)
  })

  it('is revoked and gone after a logout', async () => {
    await loggedIn()
    const { refresh_token: refresh, access_token: access } = kept()
    expect(await cli('logout')).toMatchObject({ code: 0, stdout: 'logged out\n', stderr: '' })
    expect(existsSync(loginFile(folder))).toBe(false)
    expect([await provider.isRefreshToken(refresh), await provider.isAccessToken(access)]).toEqual([
      false,
      false,
    ])
    expect((await cli('test-api')).stderr).toBe('codecarbon: nobody is logged in; run: codecarbon login\n')
  })

  it('has to be made again where the provider has revoked it', async () => {
    await start({ lifeSeconds: 20 })
    await loggedIn()
    const login = readFileSync(loginFile(folder), 'utf8')
    await cli('logout')
    writeFileSync(loginFile(folder), login)
    const { code, stderr } = await cli('test-api')
    expect(code).toBe(1)
    expect(stderr).toContain('run: codecarbon login (invalid_grant)')
  })

  it('gives init an experiment and a key', async () => {
    await loggedIn()
    const { code, stdout } = await cli('init')
    expect([code, stdout]).toEqual([0, expect.stringContaining('experiment: base') as string])
    expect(readFileSync(join(folder, '.codecarbon.config'), 'utf8')).toContain('api_key = cpt_secret-1\n')
    expect((await cli('get-token', server.store.projects[0]?.id ?? '')).stdout).toBe('cpt_secret-2\n')
  })

  it.each([
    ['nonce', 'the provider answered for another login', 400],
    ['code_challenge', 'is not accepted', 400],
  ])('is refused where somebody has changed the %s', async (name, words, status) => {
    const child = login()
    const changed = new URL(await address(child))
    changed.searchParams.set(name, 'A'.repeat(43))
    const browser = createSmallBrowser()
    const page = await browser.logIn(await browser.open(changed.href))
    expect(page).toMatchObject({ status, text: expect.stringContaining('The login failed.') as string })
    const { code, stdout, stderr } = await child.ended
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toContain(words)
    expect(existsSync(loginFile(folder))).toBe(false)
  })

  it('is not taken for that of a browser that comes with another state', async () => {
    const child = login()
    const asked = await address(child)
    const changed = new URL(asked)
    changed.searchParams.set('state', 'A'.repeat(43))
    const stranger = createSmallBrowser()
    const page = await stranger.logIn(await stranger.open(changed.href))
    expect(page).toMatchObject({ status: 400, text: expect.stringContaining('not the login') as string })
    const browser = createSmallBrowser()
    await browser.logIn(await browser.open(asked))
    expect(await child.ended).toMatchObject({ code: 0 })
  })

  it('ends although a browser keeps a connection to it', async () => {
    const child = login()
    const asked = await address(child)
    const { port } = new URL(new URL(asked).searchParams.get('redirect_uri') ?? '')
    const spare = connect({ port: Number(port), host: '127.0.0.1' })
    spare.on('error', () => undefined)
    const browser = createSmallBrowser()
    await browser.logIn(await browser.open(asked))
    expect(await child.ended).toMatchObject({ code: 0 })
    spare.destroy()
  })

  it.each([
    [503, 0, 'is not able to answer at the moment (HTTP 503); the login is kept all the same'],
    [401, 1, 'does not accept this login'],
  ])('is kept only where the API may yet accept it: %i', async (status, exitCode, words) => {
    server.fail((_request, response) => {
      response.writeHead(status).end()
    })
    const { code, stderr } = await loggedIn()
    expect(code).toBe(exitCode)
    expect(stderr).toContain(words)
    expect(existsSync(loginFile(folder))).toBe(exitCode === 0)
  })

  it('says that the port is taken', async () => {
    const child = login()
    const { port } = new URL(new URL(await address(child)).searchParams.get('redirect_uri') ?? '')
    const { code, stderr } = await cli('login', '--browser', '--callback-port', port)
    expect(code).toBe(1)
    expect(stderr).toContain(`port ${port} of this machine, which the browser is to come back to, is taken`)
  })

  it('says that the provider has no login by other devices', async () => {
    await start({ hasDeviceFlow: false })
    const { code, stderr } = await cli('login', '--device')
    expect(code).toBe(1)
    expect(stderr).toContain('logs in by a browser only')
  })
})
