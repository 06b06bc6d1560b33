import { addUsage, noUsage, usageBetween, type Usage } from './usage.ts'

/** A task, job or request between two moments. */
export interface Scope {
  /** What it has used so far, with what its own child scopes used. */
  used(): Usage
  /**
   * Ends it. Its children that still run go on inside of its own parent, or on their own; what they have used so far stays part of it, too.
   * Idempotent.
   */
  end(): Usage
  /** What it has used that is not part of a scope that has ended. */
  usedApart(): Usage
  readonly ended: boolean
}

/** Shares the energy of each interval among the scopes that were active in it. */
export interface Scopes {
  /** Takes the cumulative usage of now. Call it before a scope begins or ends. */
  advance(total: Usage): void
  begin(parent?: Scope): Scope
  /** What was used while no scope was active. */
  unattributed(): Usage
}

/**
 * Attribution `shared`: an interval's energy goes in equal parts to the innermost scopes active in it. What all scopes without a
 * parent are given plus `unattributed` equals what the meter saw. Beginning and ending cost the same however many scopes there are:
 * one running sum holds "usage per active scope", and a scope remembers what it was when it became active.
 */
export function createScopes(start: Usage): Scopes {
  let last = start
  let perScope = noUsage
  let idle = noUsage
  let active = 0

  const share: Share = {
    perScope: () => perScope,
    join: () => {
      active += 1
    },
    leave: () => {
      active -= 1
    },
  }

  return {
    advance(total) {
      const step = usageBetween(last, total)
      last = total
      if (active > 0) perScope = addUsage(perScope, step, 1 / active)
      else idle = addUsage(idle, step)
    },
    begin(parent) {
      return new SharedScope(share, parent instanceof SharedScope ? parent.active : undefined)
    },
    unattributed: () => idle,
  }
}

interface Share {
  perScope(): Usage
  join(): void
  leave(): void
}

class SharedScope implements Scope {
  readonly #share: Share
  #parent: SharedScope | undefined
  readonly #children = new Set<SharedScope>()
  #joinedAt: Usage | undefined
  #own = noUsage
  #fromChildren = noUsage
  /** What of its use is told as part of a parent that has ended. */
  #handedOver = noUsage
  #ended = false

  constructor(share: Share, parent: SharedScope | undefined) {
    this.#share = share
    this.#parent = parent
    if (parent !== undefined) {
      parent.#pause()
      parent.#children.add(this)
    }
    this.#resume()
  }

  get ended(): boolean {
    return this.#ended
  }

  /** This scope, or the nearest above it that has not ended. */
  get active(): SharedScope | undefined {
    return this.#ended ? this.#parent?.active : this
  }

  used(): Usage {
    let sum = addUsage(this.#own, this.#fromChildren)
    if (this.#joinedAt !== undefined) {
      sum = addUsage(sum, usageBetween(this.#joinedAt, this.#share.perScope()))
    }
    for (const child of this.#children) sum = addUsage(sum, child.usedApart())
    return sum
  }

  usedApart(): Usage {
    return subtract(this.used(), this.#handedOver)
  }

  end(): Usage {
    if (this.#ended) return this.used()
    this.#pause()
    const parent = this.#parent
    for (const child of this.#children) {
      this.#fromChildren = addUsage(this.#fromChildren, child.usedApart())
      child.#handedOver = child.used()
      child.#parent = parent
      if (parent !== undefined) parent.#children.add(child)
    }
    this.#children.clear()
    this.#ended = true
    if (parent !== undefined) {
      parent.#children.delete(this)
      parent.#fromChildren = addUsage(parent.#fromChildren, this.usedApart())
      if (parent.#children.size === 0) parent.#resume()
    }
    return this.used()
  }

  #resume(): void {
    if (this.#joinedAt !== undefined) return
    this.#joinedAt = this.#share.perScope()
    this.#share.join()
  }

  #pause(): void {
    if (this.#joinedAt === undefined) return
    this.#own = addUsage(this.#own, usageBetween(this.#joinedAt, this.#share.perScope()))
    this.#joinedAt = undefined
    this.#share.leave()
  }
}

/** The difference with every component of either: what was told at some time stays told. */
const subtract = (a: Usage, b: Usage): Usage => addUsage(a, b, -1)
