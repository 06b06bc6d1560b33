import { isMainThread } from 'node:worker_threads'
import { toModelCallUse } from '../../core/model-calls.ts'
import { forget, saveBeforeEnd } from '../../exit.ts'
import { scopeStorage } from '../../scopes/current-scope.ts'
import { isCount } from '../../scopes/functional-units.ts'
import type { ScopeSource } from '../../scopes/process-scopes.ts'
import { labelsOf, textOf } from '../../scopes/scope-text.ts'
import type {
  CurrentScope,
  LateName,
  ModelCallUse,
  ScopeKind,
  ScopeOptions,
  ScopeRecord,
  WorkScope,
} from '../../scopes/work-scope.ts'
import { createCpuLedger, type CpuLedger, type CpuShare } from './cpu-ledger.ts'
import type { MailboxAddress } from './mailbox-address.ts'
import { machineClock } from './machine-clock.ts'
import { threadKey } from './mailbox-file.ts'
import type { ScopeNews } from './news.ts'
import { createOutbox, type Outbox } from './outbox.ts'
import { createOwnCpu, type OwnCpu } from './own-cpu.ts'

/** Between two tellings, while there is something to tell. */
const tellMs = 1000

/**
 * The same where no scope runs any more. Pools of threads terminate them as soon as a job is done, which leaves no time to tell anything; processes are asked to
 * end, most of the time.
 */
const idleMs = isMainThread ? 100 : 0

/** Scopes that run at a time, and news that wait to be told: what is more is not measured. */
const mostHeld = 10_000

/**
 * The scopes of a process or thread whose parent measures: they are told to it with the CPU time that they used. A second passes until then, and nothing is
 * known here of what that was worth.
 */
export class MailboxScopes implements ScopeSource {
  readonly #cpu: OwnCpu
  readonly #outbox: Outbox
  readonly #open = new Map<number, MailboxScope>()
  #news = new Map<number, ScopeNews>()
  /** Told after all other news, since something else was part of these. */
  #ends: ScopeNews[] = []
  #ledger: CpuLedger | undefined
  #lastId = 0
  #toldAt = 0
  #timer: NodeJS.Timeout | undefined
  #lost = 0

  constructor(address: MailboxAddress, cpu: OwnCpu = createOwnCpu()) {
    this.#cpu = cpu
    this.#outbox = createOutbox(address)
  }

  beginScope(options: ScopeOptions): WorkScope {
    const isTold = this.#outbox.isOpen && this.#open.size < mostHeld && this.#news.size < mostHeld
    if (!isTold) {
      if (this.#outbox.isOpen) this.#lose()
      return new MailboxScope(undefined, options)
    }
    this.#begin()
    const scope = new MailboxScope(this, options)
    this.#open.set(scope.id, scope)
    this.#hurry()
    return scope
  }

  /** Says that a worker thread has ended. */
  tellThreadEnd(thread: number): void {
    this.#outbox.tell({ endedThread: threadKey(thread) })
  }

  nextId(): number {
    return (this.#lastId += 1)
  }

  share(parent: CpuShare | undefined): CpuShare | undefined {
    return this.#ledger?.begin(parent)
  }

  /** What is to be told of a scope the next time. */
  newsOf(id: number): ScopeNews {
    let news = this.#news.get(id)
    if (news === undefined) this.#news.set(id, (news = { id }))
    this.#timer ??= setTimeout(() => {
      this.#tell()
    }, tellMs).unref()
    return news
  }

  used(scope: MailboxScope, microseconds: number): void {
    if (microseconds <= 0) return
    const news = this.newsOf(scope.id)
    news.cpuMicroseconds = (news.cpuMicroseconds ?? 0) + microseconds
    this.#cpu.told(microseconds)
  }

  ended(scope: MailboxScope, end: ScopeEnd): void {
    this.#open.delete(scope.id)
    if (scope.hasInner) this.#ends.push({ id: scope.id, ...end })
    else Object.assign(this.newsOf(scope.id), end)
    this.#hurry()
  }

  #begin(): void {
    if (this.#ledger !== undefined) return
    this.#ledger = createCpuLedger(() => this.#cpu.read())
    this.#toldAt = performance.now()
    const unsaved = {
      saveAtExit: () => {
        for (const scope of [...this.#open.values()].toReversed()) scope.leave()
        this.#tell()
        this.#outbox.close()
        forget(unsaved)
      },
      saveAtSignal: () => {
        this.#tell()
      },
    }
    saveBeforeEnd(unsaved)
  }

  /** A program that keeps its event loop busy lets no timer through; and one with nothing to do may be ended. */
  #hurry(): void {
    const dueMs = this.#open.size === 0 ? idleMs : tellMs
    if (performance.now() - this.#toldAt >= dueMs) this.#tell()
  }

  #tell(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#toldAt = performance.now()
    this.#ledger?.advance()
    for (const scope of this.#open.values()) scope.tellCpu()
    if (this.#outbox.tell(...this.#news.values(), ...this.#ends)) {
      this.#news = new Map()
      this.#ends = []
    }
    if (this.#open.size === 0 && this.#news.size === 0) return
    this.#timer ??= setTimeout(() => {
      this.#tell()
    }, tellMs).unref()
  }

  #lose(): void {
    this.#lost += 1
    if (this.#lost > 1) return
    process.emitWarning(
      `more than ${mostHeld} scopes run at a time, or wait for the process that measures: some are not measured`,
      'CodeCarbonWarning',
    )
  }
}

/** How a scope has ended, as it is told. */
type ScopeEnd = Pick<ScopeNews, 'outcome' | 'durationSeconds' | 'isDiscarded'>

class MailboxScope implements WorkScope {
  readonly id: number
  name: string
  readonly kind: ScopeKind
  /** Something else was part of it. */
  hasInner = false
  readonly #scopes: MailboxScopes | undefined
  readonly #share: CpuShare | undefined
  #within: MailboxScope | undefined
  readonly #begunMs = performance.now()
  #toldMicroseconds = 0
  #isEnded = false
  #named: LateName | undefined

  /** @param scopes `undefined` for one that is not told */
  constructor(scopes: MailboxScopes | undefined, { name, kind = 'task', labels, parent }: ScopeOptions) {
    this.name = textOf(name)
    this.kind = kind
    this.#scopes = scopes
    this.id = scopes?.nextId() ?? 0
    if (scopes === undefined) return
    const above: CurrentScope | null | undefined = parent === undefined ? scopeStorage.getStore() : parent
    const within = above instanceof MailboxScope && above.#scopes === scopes ? above.living : undefined
    this.#within = within
    this.#share = scopes.share(within === undefined ? undefined : within.#share)
    const news = scopes.newsOf(this.id)
    news.kind = kind
    news.name = this.name
    news.begunAt = machineClock()
    if (within !== undefined) {
      news.parent = within.id
      within.hasInner = true
    }
    if (labels !== undefined) news.labels = labelsOf(labels)
  }

  setLabel(name: string, value: string): void {
    const news = this.#news()
    if (news !== undefined) news.labels = { ...news.labels, ...labelsOf({ [textOf(name)]: value }) }
  }

  rename(name: string): void {
    this.name = textOf(name)
    const news = this.#news()
    if (news !== undefined) news.name = this.name
  }

  nameAtEnd(named: LateName): void {
    if (!this.#isEnded) this.#named = named
  }

  countFunctionalUnits(count = 1): void {
    const news = this.#news()
    if (news !== undefined && isCount(count)) news.units = (news.units ?? 0) + count
  }

  countModelCall(call: ModelCallUse): void {
    const use = toModelCallUse(call)
    const news = use === undefined ? undefined : this.#news()
    if (use !== undefined && news !== undefined) (news.modelCalls ??= []).push(use)
  }

  run<T>(fn: () => T): T {
    return scopeStorage.run(this, fn)
  }

  addCpu(time: number): void {
    if (!this.#isEnded) this.#scopes?.used(this, Math.round(time * 1e6))
  }

  end(outcome = 'ok', duration?: number): void {
    const durationSeconds = duration ?? (performance.now() - this.#begunMs) / 1000
    this.#end({ outcome: textOf(outcome), durationSeconds })
  }

  discard(): void {
    this.#end({ isDiscarded: true })
  }

  /** The process or thread ends, and it has not ended. */
  leave(): void {
    try {
      if (this.#named !== undefined) this.rename(this.#named.name())
    } catch {
      // It keeps the name that it has: nothing can be told any more where a process ends.
    }
    this.end('unfinished')
  }

  /** Nobody here knows. */
  settled(): Promise<ScopeRecord | undefined> {
    return Promise.resolve(undefined)
  }

  /** Whole microseconds, so that sums of what is told are what was used. */
  tellCpu(): void {
    if (this.#share === undefined) return
    const used = Math.round(this.#share.used())
    this.#scopes?.used(this, used - this.#toldMicroseconds)
    this.#toldMicroseconds = used
  }

  /** This one, or the nearest around it that has not ended: callbacks outlive the scope that they were made in. */
  get living(): MailboxScope | undefined {
    return this.#isEnded ? this.#within?.living : this
  }

  #end(end: ScopeEnd): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#named = undefined
    this.#within = this.#within?.living
    this.#share?.end()
    this.tellCpu()
    this.#scopes?.ended(this, end)
  }

  #news(): ScopeNews | undefined {
    return this.#isEnded ? undefined : this.#scopes?.newsOf(this.id)
  }
}
