import type { ScopeRecord } from '../core/scope-record.ts'
import type { Scope, ScopeStart } from '../core/scopes.ts'
import type { Seconds } from '../core/units.ts'

/** What a book is put together from. */
export interface ScopeBookParts {
  readonly begin: (parent: Scope | undefined, start: ScopeStart) => Scope
  /** Of the monotonic clock. */
  readonly now: () => Seconds
  /** Reads the hardware. */
  readonly read: () => void
  /** Energies and emissions are told with it. */
  readonly pue: number
  readonly onSettled: (ended: readonly ScopeRecord[]) => void
}

/** A scope in the book. */
export interface BookedScope {
  readonly scope: Scope
  end(outcome: string): void
  /** What it used; `undefined` where that is not known yet. */
  toRecord(): ScopeRecord
}

/** So many wait for a reading at most: they take memory. */
const mostWaiting = 5000
/** Between readings for those that want to know. */
const waitMs = 20
/** CPU time of others comes in parts; who waits longer than this is told what is known. */
const longestWaitMs = 5000

/** The scopes of a run: those that are active, and those that have ended and whose energy is not read yet. */
export class ScopeBook {
  readonly #parts: ScopeBookParts
  readonly #active = new Set<BookedScope>()
  #ended: BookedScope[] = []
  readonly #waiting = new Map<BookedScope, Waiting>()
  #isReadingSoon = false

  constructor(parts: ScopeBookParts) {
    this.#parts = parts
  }

  get pue(): number {
    return this.#parts.pue
  }

  now(): Seconds {
    return this.#parts.now()
  }

  begin(parent: Scope | undefined, isExact: boolean): Scope {
    return this.#parts.begin(parent, { at: this.#parts.now(), isExact })
  }

  add(scope: BookedScope): void {
    this.#active.add(scope)
  }

  /** It has ended, and is told when its energy is known. */
  end(scope: BookedScope): void {
    if (!this.#active.delete(scope)) return
    this.#ended.push(scope)
    if (this.#ended.length >= mostWaiting) this.#parts.read()
  }

  /** Ends those that are active: the run ends. */
  endAll(): void {
    for (const scope of this.#active) scope.end('unfinished')
  }

  /** The hardware has been read: tells of those whose energy is known. */
  settle(): void {
    if (this.#ended.length === 0) return
    const records: ScopeRecord[] = []
    this.#ended = this.#ended.filter((booked) => {
      if (!booked.scope.isSettled) return true
      const record = booked.toRecord()
      records.push(record)
      this.#tell(booked, record)
      return false
    })
    if (records.length > 0) this.#parts.onSettled(records)
  }

  /** Resolves with what an ended scope has used, and sees to it that the hardware is read. */
  settled(booked: BookedScope): Promise<ScopeRecord> {
    const known = this.#waiting.get(booked)
    if (known !== undefined) return known.record
    if (booked.scope.isSettled) return Promise.resolve(booked.toRecord())
    let tell: Waiting['tell'] = () => undefined
    const record = new Promise<ScopeRecord>((resolve) => {
      tell = resolve
    })
    this.#waiting.set(booked, { record, tell, sinceMs: performance.now() })
    this.#readSoon()
    return record
  }

  #readSoon(): void {
    if (this.#isReadingSoon) return
    this.#isReadingSoon = true
    // Somebody waits, so it keeps the process alive.
    setTimeout(() => {
      this.#isReadingSoon = false
      this.#parts.read()
      const tooOldMs = performance.now() - longestWaitMs
      for (const [booked, { sinceMs }] of this.#waiting) {
        if (sinceMs <= tooOldMs) this.#tell(booked, booked.toRecord())
      }
      if (this.#waiting.size > 0) this.#readSoon()
    }, waitMs)
  }

  #tell(booked: BookedScope, record: ScopeRecord): void {
    this.#waiting.get(booked)?.tell(record)
    this.#waiting.delete(booked)
  }
}

interface Waiting {
  readonly record: Promise<ScopeRecord>
  readonly tell: (record: ScopeRecord) => void
  readonly sinceMs: number
}
