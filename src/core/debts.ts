import { seconds, type Seconds } from './units.ts'

/** What of a debt is paid at a reading. */
export interface Payment<Payee> {
  readonly payee: Payee
  readonly cpu: Seconds
  /** Nothing of it is left, or the rest is written off. */
  readonly isAll: boolean
}

/** So long a debt waits for CPU time to pay it with, behind the time over which it is paid: more was told than there was. */
const longestWait = seconds(5)

/** Seconds of CPU time that are rounding. */
const tiniestDebt = 1e-9

/** CPU time that was told of a payee between two readings, and is not yet paid for. */
interface Debt<Payee> {
  readonly payee: Payee
  left: number
  /** CPU seconds per second. */
  rate: number
}

/** What was told between two readings. */
interface Round<Payee> {
  debts: readonly (Debt<Payee> & { readonly writtenOffAt: number })[]
}

/**
 * CPU time that was told and is not yet paid for. What was used over a time is paid over as long a time, since it is told afterwards. What was told before an
 * earlier reading comes first; of what was told between two readings all have the same part of what they want, where there is not enough.
 */
export class Debts<Payee> {
  #told = new Map<Payee, Debt<Payee>>()
  #rounds: readonly Round<Payee>[] = []

  /** @returns whether it is one more debt, and not more of one */
  add(payee: Payee, cpu: Seconds, over: Seconds): boolean {
    const rate = over > 0 ? cpu / over : Infinity
    const debt = this.#told.get(payee)
    if (debt === undefined) {
      this.#told.set(payee, { payee, left: cpu, rate })
      return true
    }
    debt.left += cpu
    debt.rate = Math.max(debt.rate, rate)
    return false
  }

  /** Pays no more than the CPU time that there was in an interval, and writes off what has waited for too long. */
  pay(now: Seconds, length: Seconds, capacity: Seconds): readonly Payment<Payee>[] {
    this.#closeRound(now)
    const payments: Payment<Payee>[] = []
    let free: number = capacity
    for (const round of this.#rounds) {
      const wanted = round.debts.reduce((sum, debt) => sum + wantOf(debt, length), 0)
      const part = wanted > free ? free / wanted : 1
      free = Math.max(0, free - wanted * part)
      round.debts = round.debts.filter((debt) => {
        const cpu = seconds(wantOf(debt, length) * part)
        debt.left -= cpu
        const isAll = debt.left <= tiniestDebt || now >= debt.writtenOffAt
        if (cpu > 0 || isAll) payments.push({ payee: debt.payee, cpu, isAll })
        return !isAll
      })
    }
    this.#rounds = this.#rounds.filter(({ debts }) => debts.length > 0)
    return payments
  }

  /** All that is left, which is not owed any more. */
  takeAll(): readonly Payment<Payee>[] {
    const debts = [...this.#rounds.flatMap((round) => round.debts), ...this.#told.values()]
    this.#rounds = []
    this.#told = new Map()
    return debts.map(({ payee, left }) => ({ payee, cpu: seconds(left), isAll: true }))
  }

  #closeRound(now: Seconds): void {
    if (this.#told.size === 0) return
    const debts = [...this.#told.values()].map((debt) => ({
      ...debt,
      writtenOffAt: now + debt.left / debt.rate + longestWait,
    }))
    this.#rounds = [...this.#rounds, { debts }]
    this.#told = new Map()
  }
}

const wantOf = ({ left, rate }: Debt<unknown>, length: Seconds): number =>
  rate === Infinity ? left : Math.min(left, rate * length)
