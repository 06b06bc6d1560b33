import { setTimeout as sleep } from 'node:timers/promises'
import { tryLock } from '../files/process-lock.ts'
import type { Secret } from '../http/secret.ts'
import { credentialsPath, readLogin, saveLogin, toLogin, type Login } from './credentials.ts'
import { LoginError, toLoginError } from './login-error.ts'
import { mayCarryTokens } from './provider-settings.ts'
import { findProvider, type Network } from './provider.ts'

/** A token that has less than this left may end on its way, in milliseconds. */
const marginMs = 30_000
/** In which another process has to have renewed it, in milliseconds. */
const patienceMs = 30_000

/**
 * The access token for an API, renewed where it has ended. One process renews at a time: a refresh token that is used twice ends a login.
 *
 * @throws LoginError where nobody is logged in, is for another API, or may be no longer
 */
export async function accessTokenFor(endpoint: string, network: Network): Promise<Secret> {
  const path = credentialsPath()
  const login = loginFor(endpoint, readLogin(path))
  if (isFresh(login, network)) return login.accessToken
  const deadline = network.clock.now().wallMs + patienceMs
  for (;;) {
    const lock = tryLock(`${path}.lock`, { unknownOwnerMs: patienceMs })
    if (lock === undefined) {
      if (network.clock.now().wallMs > deadline) throw new LoginError(`${path} is locked by another process`)
      await sleep(50)
      continue
    }
    try {
      const newest = loginFor(endpoint, readLogin(path))
      if (isFresh(newest, network)) return newest.accessToken
      const renewed = await renew(newest, network)
      saveLogin(renewed, path)
      return renewed.accessToken
    } finally {
      lock.release()
    }
  }
}

/** A login for one API is not shown to another. */
function loginFor(endpoint: string, login: Login | undefined): Login {
  if (login === undefined) throw new LoginError('nobody is logged in; run: codecarbon login')
  if (!isSame(login.endpoint, endpoint)) {
    throw new LoginError(
      `the login is for the API at ${hostOf(login.endpoint)}, not for that at ${hostOf(endpoint)}; check api_endpoint, or run: codecarbon login`,
    )
  }
  if (!mayCarryTokens(endpoint)) {
    throw new LoginError('a login is shown to no API without https: check api_endpoint')
  }
  return login
}

const isSame = (one: string, other: string): boolean => normal(one) === normal(other)
const normal = (address: string): string => new URL(address.trim()).href.replace(/\/+$/, '')
const hostOf = (address: string): string => new URL(address.trim()).host

const isFresh = ({ expiresAtMs }: Login, { clock }: Network): boolean =>
  expiresAtMs === undefined || expiresAtMs - clock.now().wallMs > marginMs

async function renew({ endpoint, settings, refreshToken }: Login, network: Network): Promise<Login> {
  if (refreshToken === undefined) throw new LoginError('the login has ended; run: codecarbon login')
  const { configuration, library, host } = await findProvider(settings, network)
  try {
    const answer = await library.refreshTokenGrant(configuration, refreshToken.reveal())
    const renewed = toLogin(answer, { endpoint, settings, nowMs: network.clock.now().wallMs })
    return { ...renewed, refreshToken: renewed.refreshToken ?? refreshToken }
  } catch (error) {
    throw toLoginError(error, host)
  }
}
