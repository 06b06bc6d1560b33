import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

/** Checks the `Authorization` of a request. */
export type CheckAuthorization = (header: string | undefined) => Promise<boolean>

/** Compared with where there is no such user, so that the time taken does not tell users from others. */
const nobodysHash = '$2b$10$abcdefghijklmnopqrstuuGZ3Q5YqDNoAIF0cV2DvtKX2sKyFxSMe'

/**
 * Basic authentication with bcrypt hashes, as Prometheus' exporter-toolkit does it. A hash takes some 50 ms, so what was right once is
 * remembered, by a keyed digest; what was wrong is worked out again, one at a time.
 */
export async function createBasicAuth(users: Readonly<Record<string, string>>): Promise<CheckAuthorization> {
  const { compare } = await import('bcryptjs')
  const key = randomBytes(32)
  const digest = (text: string): Buffer => createHash('sha256').update(key).update(text).digest()
  const right: Buffer[] = []
  let queue: Promise<unknown> = Promise.resolve()

  return async (header) => {
    const given = credentials(header)
    if (given === undefined) return false
    const { user, password } = given
    const known = digest(`${user}\0${password}`)
    if (right.some((one) => timingSafeEqual(one, known))) return true
    const hash = Object.hasOwn(users, user) ? users[user] : undefined
    const checked = queue.then(() => compare(password, hash ?? nobodysHash))
    queue = checked.catch(() => undefined)
    const isRight = (await checked) && hash !== undefined
    if (isRight && right.length < 100) right.push(known)
    return isRight
  }
}

function credentials(header: string | undefined): { user: string; password: string } | undefined {
  const [, encoded] = /^basic +([A-Za-z0-9+/=]{1,2000})$/i.exec(header ?? '') ?? []
  if (encoded === undefined) return undefined
  const text = Buffer.from(encoded, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  return colon < 0 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) }
}
