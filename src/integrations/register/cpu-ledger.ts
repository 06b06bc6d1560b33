/** The part of the CPU time of a process or thread that one of its scopes has used. */
export interface CpuShare {
  /** Microseconds that it used itself, up to the last `advance`; those of scopes inside of it are theirs. */
  used(): number
  /** Scopes inside of it go on inside of what it is part of. Idempotent. */
  end(): void
}

/** Shares the CPU time of a process or thread among its scopes. */
export interface CpuLedger {
  /** Looks at the clock. */
  advance(): void
  begin(parent?: CpuShare): CpuShare
}

/**
 * A ledger by a clock of CPU time in microseconds. What is used goes in equal parts to the innermost scopes that are active meanwhile, and to none while none is:
 * one running sum holds "time per active scope", and a scope remembers what that was when it became active.
 */
export function createCpuLedger(cpuMicroseconds: () => number): CpuLedger {
  let last = cpuMicroseconds()
  let perScope = 0
  let active = 0
  const sum: RunningSum = {
    perScope: () => perScope,
    count: (change) => {
      active += change
    },
  }

  function advance(): void {
    // A clock that is a difference of two may go back a little.
    const now = Math.max(last, cpuMicroseconds())
    if (active > 0) perScope += (now - last) / active
    last = now
  }

  return {
    advance,
    begin(parent) {
      advance()
      return new Share(sum, advance, parent instanceof Share ? parent : undefined)
    },
  }
}

interface RunningSum {
  perScope(): number
  count(change: 1 | -1): void
}

class Share implements CpuShare {
  readonly #sum: RunningSum
  readonly #advance: () => void
  readonly #inside = new Set<Share>()
  #parent: Share | undefined
  #own = 0
  #joinedAt: number | undefined
  #ended = false

  constructor(sum: RunningSum, advance: () => void, parent: Share | undefined) {
    this.#sum = sum
    this.#advance = advance
    this.#parent = parent?.nearest
    this.#parent?.take(this)
    this.#resume()
  }

  /** This one, or the nearest around it that has not ended. */
  get nearest(): Share | undefined {
    return this.#ended ? this.#parent?.nearest : this
  }

  used(): number {
    return this.#own + (this.#joinedAt === undefined ? 0 : this.#sum.perScope() - this.#joinedAt)
  }

  end(): void {
    if (this.#ended) return
    this.#advance()
    this.#pause()
    this.#ended = true
    const parent = this.#parent?.nearest
    for (const share of this.#inside) {
      share.#parent = parent
      parent?.take(share)
    }
    this.#inside.clear()
    parent?.drop(this)
  }

  /** Another one is inside from now on. */
  take(share: Share): void {
    this.#pause()
    this.#inside.add(share)
  }

  drop(share: Share): void {
    this.#inside.delete(share)
    if (this.#inside.size === 0) this.#resume()
  }

  #resume(): void {
    if (this.#joinedAt !== undefined) return
    this.#joinedAt = this.#sum.perScope()
    this.#sum.count(1)
  }

  #pause(): void {
    if (this.#joinedAt === undefined) return
    this.#own = this.used()
    this.#joinedAt = undefined
    this.#sum.count(-1)
  }
}
