import { basename } from 'node:path'
import { threadId } from 'node:worker_threads'
import { isAlive, startTime } from '../../files/process-identity.ts'

/** Bytes after which a child begins another file, so that those that were read can be removed. */
export const fileBytes: number = 256 * 1024

/** So many files of one child may wait to be read: 4 MiB. */
export const filesWaiting = 16

/** A process or thread that tells, as the names of its files say. */
export interface Teller {
  readonly key: string
  /** Names the thread; the same as {@link threadKey}. */
  readonly thread: string
  /** Whether its process is still there. */
  isAlive(): boolean
}

/** A new name for the files of this process or thread, without their number. */
export const ownKey = (): string => `${threadKey(threadId)}-${Date.now().toString(36)}`

/** A thread of this process, told from those of a later one with the same number. */
export const threadKey = (thread: number): string => `${process.pid}-${startTime(process.pid) ?? 0}-${thread}`

/** The name of the file of that number. */
export const fileName = (key: string, number: number): string => `${key}.${number}.jsonl`

/** What the name of a file says; `undefined` where it is none of a mailbox. */
export function parseFileName(
  path: string,
): { readonly teller: Teller; readonly number: number } | undefined {
  const [, key = '', thread = '', pid = '', started = '', number = ''] =
    /^(((\d+)-(\d+)-\d+)-\w+)\.(\d+)\.jsonl$/.exec(basename(path)) ?? []
  if (key === '') return undefined
  const process = Number(pid)
  return {
    number: Number(number),
    teller: {
      key,
      thread,
      isAlive: () => isAlive(process) && (started === '0' || startTime(process) === started),
    },
  }
}
