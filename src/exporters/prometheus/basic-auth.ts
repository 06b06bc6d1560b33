import { createHash, randomBytes } from 'node:crypto'

/** Checks the `Authorization` of a request. */
export type CheckAuthorization = (header: string | undefined) => Promise<boolean | 'busy'>

/** Checks that may wait for one another: each takes some 50 ms of the program's own time. */
const mostWaiting = 4
const mostRemembered = 100

/** Compared with where there is no such user, so that the time taken does not tell users from others. */
const nobodysHash = '$2b$10$abcdefghijklmnopqrstuuGZ3Q5YqDNoAIF0cV2DvtKX2sKyFxSMe'

/**
 * Basic authentication with bcrypt hashes, as Prometheus' exporter-toolkit does it. A hash takes some 50 ms, so what was right once is
 * remembered, by a keyed digest, and so is what was wrong. More than a few at a time are turned away: nobody without a password may keep the
 * program busy.
 */
export async function createBasicAuth(users: Readonly<Record<string, string>>): Promise<CheckAuthorization> {
  const { compare } = await import('bcryptjs')
  const key = randomBytes(32)
  const digest = (text: string): string => createHash('sha256').update(key).update(text).digest('hex')
  const right = new Set<string>()
  const wrong = new Set<string>()
  let waiting = 0
  let queue: Promise<unknown> = Promise.resolve()

  return async (header) => {
    const given = credentials(header)
    if (given === undefined) return false
    const { user, password } = given
    const known = digest(`${user}\0${password}`)
    if (right.has(known)) return true
    if (wrong.has(known)) return false
    if (waiting >= mostWaiting) return 'busy'
    waiting += 1
    const hash = Object.hasOwn(users, user) ? users[user] : undefined
    const checked = queue.then(() => compare(password, hash ?? nobodysHash))
    queue = checked.catch(() => undefined)
    try {
      const isRight = (await checked) && hash !== undefined
      remember(isRight ? right : wrong, known)
      return isRight
    } finally {
      waiting -= 1
    }
  }
}

function remember(digests: Set<string>, digest: string): void {
  if (digests.size >= mostRemembered) digests.clear()
  digests.add(digest)
}

function credentials(header: string | undefined): { user: string; password: string } | undefined {
  const [, encoded] = /^basic +([A-Za-z0-9+/=]{1,2000})$/i.exec(header ?? '') ?? []
  if (encoded === undefined) return undefined
  const text = Buffer.from(encoded, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  return colon < 0 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) }
}
