import type { TokenEndpointResponse } from 'openid-client'
import { AccountRefusal } from '../../codecarbon-api/account-refusal.ts'
import { createAccounts } from '../../codecarbon-api/accounts.ts'
import { ConfigError } from '../../core/errors.ts'
import { holdProcess } from '../../integrations/comet/hold-process.ts'
import { printOnStderr } from '../../log.ts'
import { logInByBrowser } from '../../login/browser-login.ts'
import { credentialsPath, saveLogin, toLogin, type Login } from '../../login/credentials.ts'
import { logInByDevice } from '../../login/device-login.ts'
import { logOut } from '../../login/log-out.ts'
import { hasBrowser, openBrowser } from '../../login/open-browser.ts'
import { mayCarryTokens, providerSettings } from '../../login/provider-settings.ts'
import { findProvider } from '../../login/provider.ts'
import { converse, network } from './session.ts'

/** How somebody wants to log in. */
export interface LoginFlags {
  readonly device?: true
  readonly browser?: true
  readonly callbackPort: number
}

/** Logs in, and has the API know the user. */
export const logIn = (flags: LoginFlags, endpoint: string): Promise<void> =>
  converse(() => logInAt(endpoint, flags), endpoint)

/** Has the provider revoke the login, and forgets it. */
export async function logOutHere(): Promise<void> {
  const release = holdProcess()
  try {
    const { wasLoggedIn, notRevoked } = await logOut(network)
    if (notRevoked !== undefined) {
      process.exitCode = 1
      printOnStderr(
        `codecarbon: the login is forgotten here, but not revoked, so that its tokens hold until they end: ${notRevoked}\n`,
      )
    }
    process.stdout.write(wasLoggedIn ? 'logged out\n' : 'nobody was logged in\n')
  } finally {
    release()
  }
}

async function logInAt(endpoint: string, flags: LoginFlags): Promise<void> {
  const { host } = new URL(endpoint.trim())
  if (!mayCarryTokens(endpoint)) {
    throw new ConfigError('api_endpoint: a login is shown to no API without https')
  }
  const settings = providerSettings()
  // Before anybody takes the trouble to log in.
  const path = credentialsPath()
  const provider = await findProvider(settings, network)
  printOnStderr(`Logging in to the CodeCarbon API at ${host}, by ${provider.host}.\n`)
  const answer = usesBrowser(flags) ? await byBrowser() : await byDevice()
  const login = toLogin(answer, { endpoint, settings, nowMs: network.clock.now().wallMs })
  await introduce(login)
  saveLogin(login, path)
  process.stdout.write(`logged in to the CodeCarbon API at ${host}; kept in ${path}\n`)

  function byBrowser(): Promise<TokenEndpointResponse> {
    return logInByBrowser(provider, {
      port: flags.callbackPort,
      clock: network.clock,
      show(address) {
        printOnStderr(`Your browser shows you where to log in. If it does not, open:\n${address}\n`)
        openBrowser(address)
      },
    })
  }

  function byDevice(): Promise<TokenEndpointResponse> {
    return logInByDevice(provider, ({ address, code, wholeAddress }) => {
      const short = wholeAddress === undefined ? '' : `\nor open: ${wholeAddress}`
      printOnStderr(`On any device, open: ${address}\nand enter the code: ${code}${short}\n`)
    })
  }
}

/** A program that sets `BROWSER` has one, whether it has a terminal or not. */
function usesBrowser({ device, browser }: LoginFlags): boolean {
  if (device === true) return false
  if (browser === true || (process.env['BROWSER'] ?? '') !== '') return true
  return process.stderr.isTTY && hasBrowser()
}

/** Has the API know the user. One that cannot answer at the moment will at the next command. */
async function introduce({ endpoint, accessToken: secret }: Login): Promise<void> {
  try {
    await createAccounts({ endpoint, credentials: { kind: 'login', secret }, ...network }).checkLogin()
  } catch (error) {
    if (!(error instanceof AccountRefusal) || !error.mayPass) throw error
    printOnStderr(`codecarbon: the API ${error.message}; the login is kept all the same\n`)
  }
}
