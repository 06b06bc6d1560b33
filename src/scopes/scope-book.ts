import type { ScopeRecord } from '../core/scope-record.ts'
import { ScopeTotals, type ScopeTotal } from '../core/scope-totals.ts'
import type { Scope, ScopeStart } from '../core/scopes.ts'
import { seconds, type Seconds } from '../core/units.ts'
import type { ThreadTimes } from './thread-time.ts'

/** What a book is put together from. */
export interface ScopeBookParts {
  readonly begin: (parent: Scope | undefined, start: ScopeStart) => Scope
  /** Of the monotonic clock. */
  readonly now: () => Seconds
  /** Reads the hardware. */
  readonly read: () => void
  /** Energies and emissions are told with it. */
  readonly pue: number
  /** Tells the time of the thread by scope, where scopes are told apart by it. */
  readonly threadTimes?: ThreadTimes | undefined
  readonly onSettled: (ended: readonly ScopeRecord[]) => void
}

/** A scope in the book. */
export interface BookedScope {
  readonly scope: Scope
  /** The run ends, and it has not ended. */
  leave(): void
  /** What it used; `undefined` where that is not known yet. */
  toRecord(): ScopeRecord
}

/** So many wait for a reading at most: they take memory. */
const mostWaiting = 5000
/** Between readings because of that: those whose CPU time is paid for over a while wait for several. */
const shortestWait = seconds(0.1)
/** Between readings for those that want to know. */
const waitMs = 20
/** CPU time of others comes in parts; who waits longer than this is told what is known. */
const longestWaitMs = 5000

/** The scopes of a run: those that are active, and those that have ended and whose energy is not read yet. */
export class ScopeBook {
  readonly #parts: ScopeBookParts
  readonly #active = new Set<BookedScope>()
  readonly #totals = new ScopeTotals()
  #ended: BookedScope[] = []
  readonly #waiting = new Map<BookedScope, Waiting>()
  #isReadingSoon = false
  #readAt = seconds(-Infinity)

  constructor(parts: ScopeBookParts) {
    this.#parts = parts
  }

  get pue(): number {
    return this.#parts.pue
  }

  /** What those used that are told, by name. */
  totals(): readonly ScopeTotal[] {
    return this.#totals.list()
  }

  now(): Seconds {
    return this.#parts.now()
  }

  begin(parent: Scope | undefined, start: ScopeStart): Scope {
    return this.#parts.begin(parent, start)
  }

  add(scope: BookedScope): void {
    this.#active.add(scope)
  }

  /** It has ended, and is told when its energy is known. */
  end(scope: BookedScope): void {
    if (!this.#active.delete(scope)) return
    this.#ended.push(scope)
    if (this.#ended.length >= mostWaiting && this.now() - this.#readAt >= shortestWait) this.#read()
  }

  /** It is not to be told of. */
  forget(scope: BookedScope): void {
    this.#active.delete(scope)
  }

  /** Runs a function whose time is that of a scope. */
  inside<T>(scope: Scope, fn: () => T): T {
    const { threadTimes } = this.#parts
    return threadTimes === undefined ? fn() : threadTimes.within(scope, fn)
  }

  /** The hardware is about to be shared out: tells the time of the thread up to now. */
  tellTimes(): void {
    const { threadTimes } = this.#parts
    if (threadTimes === undefined) return
    for (const [scope, cpu] of threadTimes.take()) scope.addCpu(cpu, seconds(0))
  }

  /** Ends those that are active: the run ends. */
  endAll(): void {
    for (const scope of this.#active) scope.leave()
  }

  close(): void {
    this.#parts.threadTimes?.close()
  }

  /** The hardware has been read: tells of those whose energy is known. */
  settle(): void {
    if (this.#ended.length === 0) return
    const records: ScopeRecord[] = []
    this.#ended = this.#ended.filter((booked) => {
      if (!booked.scope.isSettled) return true
      const record = booked.toRecord()
      records.push(record)
      this.#totals.add(record)
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

  #read(): void {
    this.#readAt = this.now()
    this.#parts.read()
  }

  #readSoon(): void {
    if (this.#isReadingSoon) return
    this.#isReadingSoon = true
    // Somebody waits, so it keeps the process alive.
    setTimeout(() => {
      this.#isReadingSoon = false
      this.#read()
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
