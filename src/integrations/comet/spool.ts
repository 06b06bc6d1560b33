import { join } from 'node:path'
import type { Clock } from '../../core/clock.ts'
import { stateDirectory } from '../../files/state-directory.ts'
import { placeFromHere } from '../../files/whole-file.ts'
import type { Log } from '../../log.ts'
import { createArchive, type Archive, type ArchiveEntry } from './archive.ts'
import type { CometSettings } from './load-settings.ts'
import type { Outbox } from './outbox.ts'

/** What a spool is put together from. */
export interface SpoolParts {
  readonly settings: CometSettings
  readonly outbox: Outbox
  readonly log: Log
  readonly clock: Clock
  /** The name under which the server may have made the experiment. */
  readonly ownName: string
  /** Key of the experiment, where the server has it. */
  readonly serverKey: () => string | undefined
}

/** Moves what waits in an outbox to an archive, which is begun when it is first needed. Nothing here throws or waits. */
export interface Spool {
  /** Of the archive; `undefined` before it is begun. */
  readonly id: string | undefined
  /** Things that were written. */
  readonly written: number
  /** Things that could not be written. */
  readonly lost: number
  /** Begins the archive. */
  open(): void
  /** Writes what waits within a second, and at once where it is much. */
  writeSoon(): void
  write(): void
  /** Writes what there is no room for in the outbox. */
  keep(entries: readonly ArchiveEntry[]): void
  /** Writes what waits, and when the experiment ended. @returns path of the archive; `undefined` where it could not be written */
  close(): string | undefined
}

const writtenEveryMs = 1000
const mostItems = 500

export function createSpool({ settings, outbox, log, clock, ownName, serverKey }: SpoolParts): Spool {
  const nowMs = (): number => Math.round(clock.now().wallMs)
  const startMs = nowMs()
  let archive: Archive | undefined
  let cancelTimer: (() => void) | undefined
  let written = 0
  let lost = 0
  // Where the program stands may change.
  const folders = [placeFromHere(settings.offlineDirectory), join(stateDirectory(), 'comet')]

  const begun = (): Archive => (archive ??= begin())

  function begin(): Archive {
    const { workspace, projectName, experimentName, experimentKey, mode, offline } = settings
    return createArchive({
      folders,
      facts: {
        ...{ workspace, projectName, experimentName, startMs },
        experimentKey: () => serverKey() ?? (mode === 'create' ? undefined : experimentKey),
        ownName: offline ? undefined : ownName,
        tags: [],
      },
      nowMs,
      onFailure: (message) => {
        log('warning', `Comet: ${message}; what is logged is lost for Comet`)
      },
      onLoss: (message) => {
        log('warning', `Comet: ${message}`)
      },
    })
  }

  function write(): void {
    cancelTimer?.()
    cancelTimer = undefined
    const items = outbox.takeAll()
    keep(items)
  }

  function keep(entries: readonly ArchiveEntry[]): void {
    if (entries.length === 0) return
    const missing = begun().write(entries)
    lost += missing
    written += entries.length - missing
  }

  return {
    get id() {
      return archive?.id
    },
    get written() {
      return written
    },
    get lost() {
      return lost
    },
    open: () => void begun(),
    writeSoon() {
      if (outbox.size >= mostItems) write()
      else cancelTimer ??= clock.after(writtenEveryMs, write)
    },
    write,
    keep,
    close() {
      write()
      begun().write([{ message: { type: 'times', endMs: nowMs() }, isUncertain: false }])
      return begun().close()
    },
  }
}
