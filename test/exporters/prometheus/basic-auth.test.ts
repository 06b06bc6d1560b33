import { describe, expect, it } from 'vitest'
import { createBasicAuth, type Users, type Verdict } from '../../../src/exporters/prometheus/basic-auth.ts'

const users: Users = { ada: 'hash of secret', bob: 'hash of other' }
const checkMs = 50

interface Door {
  /** Asks to be let in. */
  ask(user: string, password: string, address?: string): Promise<Verdict>
  /** Time goes by. */
  wait(ms: number): void
  /** Passwords that were compared with a hash. */
  readonly compared: string[]
}

/** A door whose checks take 50 ms each, and of time that stands still otherwise. */
function door(of: () => Users = () => users): Door {
  let time = 0
  const compared: string[] = []
  const check = createBasicAuth({
    now: () => time,
    compare: async (password, hash) => {
      compared.push(password)
      time += checkMs
      return Promise.resolve(hash === `hash of ${password}`)
    },
  })
  return {
    ask: (user, password, address = '192.0.2.1') =>
      check(of(), { header: `Basic ${btoa(`${user}:${password}`)}`, address }),
    wait(ms) {
      time += ms
    },
    compared,
  }
}

/** Guesses until a guess is turned away, and tells when to come again. */
async function guessUntilTurnedAway({ ask }: Door, address?: string): Promise<number> {
  for (let guess = 0; guess < 1000; guess += 1) {
    const verdict = await ask('ada', `guess ${guess} ${Math.random()}`, address)
    if (typeof verdict === 'object') return verdict.retryAfterMs
    expect(verdict).toBe(false)
  }
  return expect.fail('nobody is turned away')
}

describe('basic authentication', () => {
  it('lets in users with their password alone, and looks into each only once', async () => {
    const { ask, compared } = door()
    for (let time = 0; time < 2; time += 1) {
      expect(await ask('ada', 'secret')).toBe(true)
      expect(await ask('bob', 'secret')).toBe(false)
      expect(await ask('eve', 'secret')).toBe(false)
    }
    expect(compared).toHaveLength(3)
  })

  it('looks once into what comes many times at once', async () => {
    const { ask, compared } = door()
    expect(await Promise.all(Array.from({ length: 20 }, () => ask('ada', 'secret')))).toEqual(
      Array.from({ length: 20 }, () => true),
    )
    expect(compared).toHaveLength(1)
  })

  it('spends at most a twentieth of its time on wrong passwords, however many come from wherever', async () => {
    const one = door()
    const hourMs = 3_600_000
    for (let waited = 0; waited < hourMs; waited += 1000) {
      for (let guess = 0; guess < 3; guess += 1)
        await one.ask('ada', `${waited} ${guess}`, guess === 0 ? `${waited}` : 'always')
      one.wait(1000)
    }
    expect(one.compared.length * checkMs).toBeLessThan(0.05 * hourMs * 1.2)
    expect(one.compared.length * checkMs).toBeGreaterThan(0.02 * hourMs)
  })

  it('says when to ask again, and then looks', async () => {
    const one = door()
    const retryAfterMs = await guessUntilTurnedAway(one)
    const before = one.compared.length
    one.wait(retryAfterMs - 1)
    expect(await one.ask('bob', 'guess')).toBeTypeOf('object')
    one.wait(2)
    expect(await one.ask('bob', 'guess')).toBe(false)
    expect(one.compared).toHaveLength(before + 1)
  })

  it('lets a user in while somebody guesses: one who was there before, and one who comes from elsewhere', async () => {
    const one = door()
    expect(await one.ask('ada', 'secret')).toBe(true)
    await guessUntilTurnedAway(one)
    expect(await one.ask('ada', 'secret')).toBe(true)
    expect(await one.ask('bob', 'other')).toBeTypeOf('object')
    expect(await one.ask('bob', 'other', '192.0.2.2')).toBe(true)
    expect(await one.ask('bob', 'other')).toBe(true)
  })

  it('looks again when a user has another hash, and only then', async () => {
    let now = users
    const { ask, compared } = door(() => now)
    expect(await ask('ada', 'secret')).toBe(true)
    now = { ...users, bob: 'hash of a third' }
    expect(await ask('ada', 'secret')).toBe(true)
    expect(compared).toHaveLength(1)
    now = { ada: 'hash of other' }
    expect([await ask('ada', 'secret'), await ask('ada', 'other')]).toEqual([false, true])
  })

  it.each([undefined, '', 'Bearer a', 'Basic', `Basic ${btoa('ada')}`, `Basic ${'A'.repeat(3000)}`])(
    'is not passed by %j',
    async (header) => {
      expect(await createBasicAuth()(users, { header, address: '192.0.2.1' })).toBe(false)
    },
  )
})
