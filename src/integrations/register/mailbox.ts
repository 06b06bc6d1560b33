import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmdirSync,
  unlinkSync,
} from 'node:fs'
import { join } from 'node:path'
import { seconds } from '../../core/units.ts'
import type { ScopeSource } from '../../scopes/process-scopes.ts'
import type { WorkScope } from '../../scopes/work-scope.ts'
import { isPrivate } from './mailbox-address.ts'
import { parseFileName, threadKey, type Teller } from './mailbox-file.ts'
import { sinceMachineClock } from './machine-clock.ts'
import { parseNews, type ScopeNews, type ThreadNews } from './news.ts'

/** Between two looks. */
const lookMs = 1000

/** What children tell of their scopes, as the process reads it that measures. */
export interface Mailbox {
  /** Takes what is new. Never throws. */
  collect(): void
  /** A worker thread of this process has ended. */
  threadEnded(thread: number): void
  /** Takes what is new, ends what has not ended, and removes the folder. Idempotent. */
  close(): void
}

/**
 * Reads a mailbox every second, and begins a scope for each of its children's. Scopes of a child that is gone without having said how they ended have the outcome
 * `lost`, and so have those of children that go on when this ends: nobody knows when they did end, and they have lasted until that is noticed.
 */
export function openMailbox(folder: string, scopes: ScopeSource): Mailbox {
  const children = new Map<string, Child>()
  let endedThreads = new Set<string>()
  let isClosed = false

  function collect(): void {
    // Asked first: what threads and processes write that are gone is there when the files are listed.
    const ended = endedThreads
    endedThreads = new Set()
    const files = list(folder)
    for (const { teller, paths } of files) {
      let child = children.get(teller.key)
      if (child === undefined) children.set(teller.key, (child = new Child(scopes)))
      const isThere = teller.isAlive() && !ended.has(teller.thread)
      for (const { endedThread } of child.read(paths)) endedThreads.add(endedThread)
      if (isThere) continue
      child.lose()
      for (const path of paths) remove(path)
      children.delete(teller.key)
    }
    // One whose files somebody has removed.
    for (const [key, child] of children) {
      if (files.some(({ teller }) => teller.key === key)) continue
      child.lose()
      children.delete(key)
    }
  }

  const timer = setInterval(collect, lookMs).unref()
  return {
    collect,
    threadEnded(thread) {
      endedThreads.add(threadKey(thread))
    },
    close() {
      if (isClosed) return
      isClosed = true
      clearInterval(timer)
      collect()
      for (const child of children.values()) child.lose()
      removeFolder(folder)
    },
  }
}

/** A process or thread that tells. */
class Child {
  readonly #scopes: ScopeSource
  readonly #open = new Map<number, { readonly scope: WorkScope; readonly begunAt: number | undefined }>()
  #path = ''
  #offset = 0

  constructor(scopes: ScopeSource) {
    this.#scopes = scopes
  }

  /** Reads the rest of its files, and removes those behind which there is another. @returns which of its threads have ended */
  read(paths: readonly string[]): readonly ThreadNews[] {
    const threads: ThreadNews[] = []
    for (const path of paths) {
      if (path !== this.#path) {
        if (this.#path !== '') remove(this.#path)
        this.#path = path
        this.#offset = 0
      }
      for (const news of this.#readFile()) {
        if ('endedThread' in news) threads.push(news)
        else this.#take(news)
      }
    }
    return threads
  }

  /** Ends whatever it has not ended. */
  lose(): void {
    for (const { scope, begunAt } of [...this.#open.values()].toReversed())
      scope.end('lost', sinceMachineClock(begunAt))
    this.#open.clear()
  }

  #readFile(): (ScopeNews | ThreadNews)[] {
    const bytes = readFrom(this.#path, this.#offset)
    // Without a line break the end of a line is yet to come, or never will.
    const end = bytes.lastIndexOf('\n') + 1
    this.#offset += end
    const lines = bytes.toString('utf8', 0, end).split('\n')
    return lines.flatMap((line) => (line === '' ? [] : (parseNews(line) ?? [])))
  }

  #take(news: ScopeNews): void {
    const {
      id,
      kind,
      begunAt,
      parent,
      name,
      labels,
      cpuMicroseconds,
      units,
      modelCalls = [],
      outcome,
      durationSeconds,
      isDiscarded,
    } = news
    if (kind !== undefined && name !== undefined && !this.#open.has(id)) {
      const within = parent === undefined ? undefined : this.#open.get(parent)?.scope
      const options = { name, kind, labels, parent: within ?? null, attribution: 'exact' } as const
      this.#open.set(id, { scope: this.#scopes.beginScope(options), begunAt })
    }
    const scope = this.#open.get(id)?.scope
    if (scope === undefined) return
    if (kind === undefined) {
      if (name !== undefined) scope.rename(name)
      for (const [label, value] of Object.entries(labels ?? {})) scope.setLabel(label, value)
    }
    if (units !== undefined) scope.countFunctionalUnits(units)
    for (const call of modelCalls) scope.countModelCall?.(call)
    if (cpuMicroseconds !== undefined) scope.addCpu(seconds(cpuMicroseconds / 1e6))
    if (isDiscarded === true) scope.discard()
    else if (outcome === undefined) return
    else scope.end(outcome, durationSeconds === undefined ? undefined : seconds(durationSeconds))
    this.#open.delete(id)
  }
}

interface Files {
  readonly teller: Teller
  /** In the order in which they were written. */
  readonly paths: readonly string[]
}

function list(folder: string): readonly Files[] {
  const byTeller = new Map<string, { teller: Teller; files: { number: number; path: string }[] }>()
  for (const name of namesIn(folder)) {
    const file = parseFileName(name)
    if (file === undefined) continue
    const { teller, number } = file
    const entry = byTeller.get(teller.key) ?? { teller, files: [] }
    byTeller.set(teller.key, entry)
    entry.files.push({ number, path: join(folder, name) })
  }
  return [...byTeller.values()].map(({ teller, files }) => ({
    teller,
    paths: files.toSorted((a, b) => a.number - b.number).map(({ path }) => path),
  }))
}

function namesIn(folder: string): readonly string[] {
  try {
    // Something that cleans up may have taken it, and another user made one of that name.
    if (isPrivate(folder)) return readdirSync(folder)
  } catch {
    // It is taken right now.
  }
  // Children that are told nothing else go on to write there.
  attempt(() => mkdirSync(folder, { mode: 0o700 }))
  return []
}

function readFrom(path: string, offset: number): Buffer {
  const parts: Buffer[] = []
  attempt(() => {
    const descriptor = openSync(path, 'r')
    try {
      for (let at = offset; ;) {
        const part = Buffer.alloc(64 * 1024)
        const bytes = readSync(descriptor, part, 0, part.length, at)
        if (bytes === 0) return
        parts.push(part.subarray(0, bytes))
        at += bytes
      }
    } finally {
      closeSync(descriptor)
    }
  })
  return Buffer.concat(parts)
}

const remove = (path: string): void => {
  attempt(() => {
    unlinkSync(path)
  })
}

/** Under another name first, so that no child makes a file in it meanwhile. */
function removeFolder(folder: string): void {
  if (!isPrivate(folder)) return
  const gone = `${folder}-gone`
  attempt(() => {
    renameSync(folder, gone)
  })
  attempt(() => {
    for (const name of readdirSync(gone)) unlinkSync(join(gone, name))
    rmdirSync(gone)
  })
}

/** What cannot be read or removed now is tried again, or of no matter to the program. */
function attempt(action: () => void): void {
  try {
    action()
  } catch {
    // See above.
  }
}
