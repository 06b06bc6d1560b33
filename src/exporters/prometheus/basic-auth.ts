import { createHash, randomBytes } from 'node:crypto'
import { createTimeBudget } from './time-budget.ts'

/** Who may look: bcrypt hashes by name. */
export type Users = Readonly<Record<string, string>>

/** A request that has to show who sends it. */
export interface Sender {
  /** Its `Authorization`. */
  readonly header: string | undefined
  /** Where it comes from. */
  readonly address: string
}

/** Whether a sender is one of the users; or when to ask again, where that cannot be looked into now. */
export type Verdict = boolean | { readonly retryAfterMs: number }

/** Checks whether a sender is one of these users. */
export type CheckSender = (users: Users, sender: Sender) => Promise<Verdict>

/** Options of {@link createBasicAuth}. */
export interface BasicAuthOptions {
  /** Whether a password has this hash. @default that of bcryptjs */
  readonly compare?: (password: string, hash: string) => Promise<boolean>
  /** Monotonic, milliseconds. @default performance.now */
  readonly now?: () => number
}

/** Checks that may wait for one another: each takes some 50 ms of the program's own time. */
const mostWaiting = 4
const mostRemembered = 1000

/** Of all time, for each of two: addresses that a wrong password came from, and all others. Together 5 %. */
const share = 0.025
const burstMs = 250

/** Compared with where there is no such user, so that the time taken does not tell users from others. */
const nobodysHash = '$2b$10$abcdefghijklmnopqrstuuGZ3Q5YqDNoAIF0cV2DvtKX2sKyFxSMe'

/**
 * Basic authentication with bcrypt hashes, as Prometheus' exporter-toolkit does it. A hash takes some 50 ms of the program's own time, which
 * nobody without a password may have much of: what was right once is remembered, by a keyed digest, and so is what was wrong, and
 * checks of wrong ones have a budget of time. One address that guesses uses up its part of it and leaves the other to scrapers that
 * come for the first time; those that came before are let in by what is remembered.
 */
export function createBasicAuth({
  compare = compareByBcrypt,
  now = () => performance.now(),
}: BasicAuthOptions = {}): CheckSender {
  const key = randomBytes(32)
  const digest = (parts: readonly string[]): string =>
    createHash('sha256').update(key).update(JSON.stringify(parts)).digest('hex')
  const right = new Set<string>()
  const wrong = new Set<string>()
  const guessers = new Set<string>()
  const [ofGuessers, ofOthers] = [
    createTimeBudget({ share, burstMs, now }),
    createTimeBudget({ share, burstMs, now }),
  ]
  const pending = new Map<string, Promise<Verdict>>()
  let queue: Promise<unknown> = Promise.resolve()

  async function inTurn(
    known: string,
    password: string,
    hash: string | undefined,
    address: string,
  ): Promise<Verdict> {
    const budget = guessers.has(address) ? ofGuessers : ofOthers
    // Those that waited together may have used it up.
    const retryAfterMs = budget.waitMs()
    if (retryAfterMs > 0) return { retryAfterMs }
    const begun = now()
    const isRight = (await compare(password, hash ?? nobodysHash)) && hash !== undefined
    if (isRight) guessers.delete(address)
    else {
      budget.spend(now() - begun)
      remember(guessers, address)
    }
    remember(isRight ? right : wrong, known)
    return isRight
  }

  return async (users, { header, address }) => {
    const given = credentials(header)
    if (given === undefined) return false
    const { user, password } = given
    const hash = Object.hasOwn(users, user) ? users[user] : undefined
    const known = digest([user, password, hash ?? ''])
    if (right.has(known)) return true
    if (wrong.has(known)) return false
    const same = pending.get(known)
    if (same !== undefined) return same
    const retryAfterMs = (guessers.has(address) ? ofGuessers : ofOthers).waitMs()
    if (retryAfterMs > 0) return { retryAfterMs }
    if (pending.size >= mostWaiting) return { retryAfterMs: 1000 }
    const checked = queue.then(() => inTurn(known, password, hash, address))
    pending.set(known, checked)
    queue = checked.catch(() => undefined)
    try {
      return await checked
    } finally {
      pending.delete(known)
    }
  }
}

/** It gives way to the program every 100 ms. */
async function compareByBcrypt(password: string, hash: string): Promise<boolean> {
  return (await import('bcryptjs')).compare(password, hash)
}

function remember(texts: Set<string>, text: string): void {
  if (texts.size >= mostRemembered) texts.clear()
  texts.add(text)
}

function credentials(header: string | undefined): { user: string; password: string } | undefined {
  const [, encoded] = /^basic +([A-Za-z0-9+/=]{1,2000})$/i.exec(header ?? '') ?? []
  if (encoded === undefined) return undefined
  const text = Buffer.from(encoded, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  return colon < 0 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) }
}
