import { chmodSync, existsSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { TokenEndpointResponse } from 'openid-client'
import { messageOf } from '../core/errors.ts'
import { configDirectory } from '../files/config-directory.ts'
import { makeDirectory } from '../files/make-directory.ts'
import { writeWholeFile } from '../files/whole-file.ts'
import { fieldsOf } from '../http/json-api.ts'
import { Secret } from '../http/secret.ts'
import { LoginError } from './login-error.ts'
import { mayCarryTokens, type ProviderSettings } from './provider-settings.ts'

/** A login as it is kept. */
export interface Login {
  /** The API that its tokens are for. They go to no other. */
  readonly endpoint: string
  /** Who gave them. */
  readonly settings: ProviderSettings
  readonly accessToken: Secret
  readonly refreshToken: Secret | undefined
  /** When the access token ends, in milliseconds since 1970; `undefined` where nobody said. */
  readonly expiresAtMs: number | undefined
}

/** Where the login of this user is kept. */
export const credentialsPath = (): string => join(configDirectory(), 'credentials.json')

/** Makes a login of what a provider answers. */
export function toLogin(
  answer: TokenEndpointResponse,
  { endpoint, settings, nowMs }: { endpoint: string; settings: ProviderSettings; nowMs: number },
): Login {
  const { access_token: access, refresh_token: refresh, expires_in: lifeSeconds } = answer
  return {
    ...{ endpoint, settings, accessToken: new Secret(access) },
    refreshToken: refresh === undefined ? undefined : new Secret(refresh),
    expiresAtMs: lifeSeconds === undefined ? undefined : nowMs + lifeSeconds * 1000,
  }
}

/**
 * The login that is kept; `undefined` where there is none.
 *
 * @throws LoginError where it cannot be read
 */
export function readLogin(path: string = credentialsPath()): Login | undefined {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new LoginError(`${path} cannot be read: ${messageOf(error)}`)
  }
  const login = parseLogin(text)
  if (login === undefined) throw new LoginError(`${path} holds no login; run: codecarbon login`)
  return login
}

/** Keeps a login so that nobody else can read it. @throws EnergyError ERR_EXPORT_FAILED */
export function saveLogin(login: Login, path: string = credentialsPath()): void {
  const { endpoint, settings, accessToken, refreshToken, expiresAtMs } = login
  const kept = {
    api_endpoint: endpoint,
    discovery_url: settings.discoveryUrl,
    client_id: settings.clientId,
    access_token: accessToken.reveal(),
    refresh_token: refreshToken?.reveal() ?? null,
    expires_at: expiresAtMs === undefined ? null : new Date(expiresAtMs).toISOString(),
  }
  makePrivate(dirname(path))
  writeWholeFile(path, `${JSON.stringify(kept, undefined, 2)}\n`, 0o600)
}

/** A folder that is made is for this user alone; one that is there stays as it is. */
function makePrivate(folder: string): void {
  if (existsSync(folder)) return
  try {
    makeDirectory(folder)
    chmodSync(folder, 0o700)
  } catch {
    // Writing the file says why.
  }
}

/** Forgets the login that is kept. */
export function removeLogin(path: string = credentialsPath()): void {
  rmSync(path, { force: true })
}

function parseLogin(text: string): Login | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  const fields = fieldsOf(value)
  const textOf = (name: string): string | undefined => {
    const field = fields[name]
    return typeof field === 'string' && field !== '' ? field : undefined
  }
  const [endpoint, discoveryUrl, clientId] = ['api_endpoint', 'discovery_url', 'client_id'].map(textOf)
  const [access, refresh, expires] = ['access_token', 'refresh_token', 'expires_at'].map(textOf)
  if (endpoint === undefined || discoveryUrl === undefined || clientId === undefined) return undefined
  if (access === undefined || !URL.canParse(endpoint) || !mayCarryTokens(discoveryUrl)) return undefined
  const expiresAtMs = Date.parse(expires ?? '')
  return {
    ...{ endpoint, settings: { discoveryUrl, clientId }, accessToken: new Secret(access) },
    refreshToken: refresh === undefined ? undefined : new Secret(refresh),
    expiresAtMs: Number.isNaN(expiresAtMs) ? undefined : expiresAtMs,
  }
}
