import { Account } from './account.ts'
import { Debts } from './debts.ts'
import { Interval, type Position, type Totals } from './interval.ts'
import { grams, joules, seconds, type Seconds } from './units.ts'
import { addUsage, noUsage, scaleUsage, takeFrom, usageBetween, withoutGpu, type Usage } from './usage.ts'

/** A task, job or request between two moments. */
export interface Scope {
  /** What it has used up to the last reading, with what its own child scopes used. */
  used(): Usage
  /**
   * What its record tells, as sums over all components: with what is not nested, and what is unattributed, that is what the meter saw. All that it has used where
   * it is nested, and {@link usedApart} where it is not. `undefined` where nobody told of any component.
   */
  totals(): Totals | undefined
  /**
   * Ends it. Its children that still run go on inside of its own parent, or on their own; what they have used so far stays part of it, too.
   * Idempotent.
   *
   * @param at of the clock of {@link Scopes.advance}. @default the time of the last reading
   */
  end(at?: Seconds): void
  /**
   * Ends it as though it had never been: what it used is its parent's, or that of no scope, as is what is told of its CPU time later. Idempotent.
   *
   * @param at as in {@link end}
   */
  discard(at?: Seconds): void
  /** What it has used that is not part of a scope that has ended. */
  usedApart(): Usage
  /** CPU time that it used on its own in the last so many seconds. @param over `0`: in the interval that is going on */
  addCpu(cpu: Seconds, over: Seconds): void
  readonly ended: boolean
  /** It is part of another one, which holds it. Sure once it has ended: until then what it is part of may end before it does. */
  readonly isNested: boolean
  /** It has ended, and all that it used is known, with what ended inside of it. */
  readonly isSettled: boolean
}

/** How a scope takes part. */
export interface ScopeStart {
  /** Of the clock of {@link Scopes.advance}. @default the time of the last reading */
  readonly at?: Seconds | undefined
  /** By its own CPU time alone, and with no share by the time in which it is active. @default false */
  readonly isExact?: boolean | undefined
}

/** Shares the energy of each interval among the scopes that were active in it. */
export interface Scopes {
  /**
   * Takes the cumulative usage of now.
   *
   * @param at a monotonic time. @default the last one and the time that was used since
   * @param isLast CPU time that was told is paid at once: there is no later interval
   */
  advance(total: Usage, at?: Seconds, isLast?: boolean): void
  /** Begins one, as part of another where that still runs. What would be nested deeper than a hundred is part of the ninety-ninth instead. */
  begin(parent?: Scope, start?: ScopeStart): Scope
  /** What was used while no scope was active. */
  unattributed(): Usage
}

/**
 * Attribution of energy to scopes. What all scopes without a parent are given plus `unattributed` equals what the meter saw.
 *
 * - By time: the innermost scopes active at a moment share its energy in equal parts, where an interval's energy is spread evenly over its time. That
 *   of graphics processors goes to a scope only while it is the only one, since nobody could say whose of several it is.
 * - By CPU time, for scopes whose own is told, ahead of all shares by time: `CPU seconds / (time × logical CPUs)` of what the machine used, and of what a
 *   process tree used the part that its CPU time is of the tree's.
 *
 * Beginning and ending cost the same however many scopes there are, and need no reading: one running sum holds "time per active scope", and a scope remembers
 * what it was when it became active. What that is worth is known when the interval ends.
 */
export function createScopes(start: Usage, options: ScopesOptions = {}): Scopes {
  return new Ledger(start, options)
}

/** Options of {@link createScopes}. */
export interface ScopesOptions {
  /** When `start` was, of the clock of {@link Scopes.advance}. @default before what is used next */
  readonly at?: Seconds | undefined
  /** Of the machine. @default 1 */
  readonly logicalCpus?: number | undefined
}

class Ledger implements Scopes, Position {
  /** The one that is going on. */
  interval = new Interval(noUsage, { perScope: 0, alone: 0 })
  /** ∫ dt / n over the time with n > 0 active scopes, and the time with just one. */
  perScope = 0
  alone = 0
  readonly #logicalCpus: number
  #last: Usage
  #begunAt = seconds(-Infinity)
  #now = seconds(-Infinity)
  #idle = noUsage
  /** What scopes used that were discarded, until the interval ends in which they were. */
  #returned = new Account()
  /** Innermost scopes that share by time. */
  #active = 0
  /** All that was used but by graphics processors, and the CPU time that there was. */
  #whole = noUsage
  #capacity = 0
  readonly #debts = new Debts<SharedScope>()

  constructor(start: Usage, { at, logicalCpus = 1 }: ScopesOptions) {
    this.#last = start
    this.#logicalCpus = logicalCpus
    this.tick(at)
  }

  advance(total: Usage, at?: Seconds, isLast = false): void {
    const step = usageBetween(this.#last, total)
    this.#last = total
    const since = Number.isFinite(this.#begunAt) ? this.#begunAt : seconds((at ?? step.time) - step.time)
    if (!Number.isFinite(this.#now)) this.#now = this.#begunAt = since
    this.tick(at ?? seconds(since + step.time))
    const length = seconds(this.#now - since)
    const capacity = seconds(step.machineTime * this.#logicalCpus)
    const paid = this.#debts.pay(this.#now, isLast ? seconds(Infinity) : length, capacity)
    const { interval, perScope, alone } = this
    const exact = paid.reduce((sum, { cpu }) => sum + cpu, 0)
    const exactShare = capacity > 0 ? Math.min(1, exact / capacity) : 0
    const rest = interval.close(step, {
      length,
      exactShare,
      capacity,
      perScope,
      alone,
      active: this.#active,
    })
    this.#idle = addUsage(addUsage(this.#idle, rest), this.#returned.usage())
    this.#returned = new Account()
    this.#begunAt = this.#now
    this.interval = new Interval(interval.after, { perScope, alone })
    this.#whole = addUsage(this.#whole, withoutGpu(step))
    this.#capacity += capacity
    for (const { payee, cpu, isAll } of paid) payee.credit(interval.worthOfCpu(cpu), isAll)
    if (isLast) this.#payTheRest()
  }

  begin(parent?: Scope, { at, isExact = false }: ScopeStart = {}): Scope {
    this.tick(at)
    return new SharedScope(this, parent instanceof SharedScope ? parent.active?.holder : undefined, isExact)
  }

  unattributed(): Usage {
    return addUsage(this.#idle, this.#returned.usage())
  }

  /** Takes what a scope used that was discarded: it is that of none. */
  takeBack(account: Account): void {
    this.#returned.merge(account)
  }

  /** Brings the running sums up to a moment. */
  tick(at: Seconds | undefined): void {
    // A moment before the last one is that one: clocks may be read out of turn.
    if (at === undefined || !(at > this.#now)) return
    if (!Number.isFinite(this.#now)) this.#begunAt = at
    else if (this.#active > 0) {
      const passed = at - this.#now
      this.perScope += passed / this.#active
      this.interval.busy += passed
      if (this.#active === 1) this.alone += passed
    }
    this.#now = at
  }

  join(): void {
    this.#active += 1
  }

  leave(): void {
    this.#active -= 1
  }

  /** @returns whether it is one more debt, and not more of one */
  owe(scope: SharedScope, cpu: Seconds, over: Seconds): boolean {
    return this.#debts.add(scope, cpu, over)
  }

  /**
   * What was told of intervals before the last one, which was too short to pay for it, comes out of what went to no scope in them: at the mean rate of all, and of
   * each component no more than there is.
   */
  #payTheRest(): void {
    const owed = this.#debts.takeAll()
    const sum = owed.reduce((total, { cpu }) => total + cpu, 0)
    const wanted = this.#capacity > 0 ? scaleUsage(this.#whole, sum / this.#capacity) : noUsage
    const taken = takeFrom(withoutGpu(this.#idle), wanted)
    this.#idle = addUsage(this.#idle, taken, -1)
    for (const { payee, cpu } of owed) payee.credit(scaleUsage(taken, cpu / sum), true)
  }
}

/** What is nested is summed up by recursion. Programs that nest deeper do so by waiting for one another, as in a walk along a list. */
const deepest = 100

class SharedScope implements Scope {
  readonly #ledger: Ledger
  #parent: SharedScope | undefined
  #children: Set<SharedScope> | undefined
  readonly #isExact: boolean
  /** What it was given, and its ended children. */
  readonly #account = new Account()
  /** What of it is told as part of a parent that has ended. */
  #handedOver: Account | undefined
  /** Where it became active. */
  #joined: Interval | undefined
  #perScope = 0
  #alone = 0
  /** Debts to it and to what has ended inside of it. */
  #owing = 0
  #ended = false
  #isDiscarded = false

  constructor(ledger: Ledger, parent: SharedScope | undefined, isExact: boolean) {
    this.#ledger = ledger
    this.#parent = parent
    this.#isExact = isExact
    if (parent !== undefined) {
      // Work of its own process or thread leaves the parent what it does itself.
      if (!isExact) parent.#pause()
      parent.#adopt(this)
    }
    this.#resume()
  }

  get ended(): boolean {
    return this.#ended
  }

  get isSettled(): boolean {
    return this.#ended && this.#owing === 0 && this.#account.isSettled
  }

  get isNested(): boolean {
    return this.#parent !== undefined
  }

  /** This scope, or the nearest above it that has not ended. */
  get active(): SharedScope | undefined {
    return this.#ended ? this.#parent?.active : this
  }

  /** This scope, or the one around it where it is nested as deep as can be. */
  get holder(): SharedScope | undefined {
    let depth = 1
    for (let at = this.#parent; at !== undefined; at = at.#parent) depth += 1
    return depth < deepest ? this : this.#parent
  }

  used(): Usage {
    return this.#whole().usage()
  }

  totals(): Totals | undefined {
    const account = this.#children === undefined && this.#joined === undefined ? this.#account : this.#whole()
    if (!account.isTold) return undefined
    const whole = account.totals()
    if (this.#handedOver === undefined || this.isNested) return whole
    const { energy, emissions } = this.#handedOver.totals()
    return {
      energy: joules(Math.max(0, whole.energy - energy)),
      emissions: grams(Math.max(0, whole.emissions - emissions)),
    }
  }

  usedApart(): Usage {
    return this.#apart().usage()
  }

  addCpu(cpu: Seconds, over: Seconds): void {
    // What goes on behind the end is that of nobody, once the end has been told.
    if (!(cpu > 0) || this.isSettled) return
    if (this.#ledger.owe(this, cpu, over)) this.#countOwing(1)
  }

  /** Takes what CPU time was worth, which may come when it has ended. */
  credit(usage: Usage, isAll: boolean): void {
    this.#take(usage)
    if (isAll) this.#countOwing(-1)
  }

  end(at?: Seconds): void {
    if (this.#ended) return
    this.#ledger.tick(at)
    this.#pause()
    const parent = this.#parent
    for (const child of this.#children ?? []) {
      const whole = child.#whole()
      this.#account.merge(whole)
      if (child.#handedOver !== undefined) this.#account.merge(child.#handedOver, -1)
      child.#handedOver = whole
      child.#parent = parent
      if (parent !== undefined) parent.#adopt(child)
    }
    this.#children = undefined
    this.#ended = true
    if (parent !== undefined) {
      parent.#children?.delete(this)
      parent.#account.merge(this.#apart())
      parent.#owing += this.#owing
      if (!this.#isExact && !parent.#hasSharingChild()) parent.#resume()
    }
  }

  discard(at?: Seconds): void {
    if (this.#ended) return
    this.end(at)
    this.#isDiscarded = true
    if (this.#parent === undefined) this.#ledger.takeBack(this.#apart())
  }

  #take(usage: Usage): void {
    this.#account.addKnown(usage)
    if (!this.#ended) return
    if (this.#parent !== undefined) this.#parent.#take(usage)
    else if (this.#isDiscarded) this.#ledger.takeBack(accountOf(usage))
  }

  #countOwing(change: 1 | -1): void {
    this.#owing += change
    if (this.#ended && this.#parent !== undefined) this.#parent.#countOwing(change)
  }

  /** All of it: what it was given so far, and its children. */
  #whole(): Account {
    this.#touch()
    const whole = new Account()
    whole.merge(this.#account)
    for (const child of this.#children ?? []) whole.merge(child.#apart())
    return whole
  }

  #apart(): Account {
    const apart = this.#whole()
    if (this.#handedOver !== undefined) apart.merge(this.#handedOver, -1)
    return apart
  }

  #adopt(child: SharedScope): void {
    this.#children ??= new Set()
    this.#children.add(child)
  }

  #hasSharingChild(): boolean {
    for (const child of this.#children ?? []) if (!child.#isExact) return true
    return false
  }

  /** Books what it was given so far. */
  #touch(): void {
    if (this.#joined === undefined) return
    this.#pause()
    this.#resume()
  }

  #resume(): void {
    if (this.#joined !== undefined || this.#isExact) return
    const { interval, perScope, alone } = this.#ledger
    this.#joined = interval
    this.#perScope = perScope
    this.#alone = alone
    this.#ledger.join()
  }

  #pause(): void {
    const joined = this.#joined
    if (joined === undefined) return
    const { interval, perScope, alone } = this.#ledger
    const now = { perScope: this.#perScope, alone: this.#alone }
    if (joined === interval) this.#account.add(interval, perScope - now.perScope, alone - now.alone)
    else {
      this.#account.addKnown(usageBetween(joined.at(now), interval.before))
      this.#account.add(interval, perScope - interval.from.perScope, alone - interval.from.alone)
    }
    this.#joined = undefined
    this.#ledger.leave()
  }
}

function accountOf(usage: Usage): Account {
  const account = new Account()
  account.addKnown(usage)
  return account
}
