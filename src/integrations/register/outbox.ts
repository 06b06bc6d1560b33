import { appendFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { isPrivate, type MailboxAddress } from './mailbox-address.ts'
import { fileBytes, fileName, filesWaiting, ownKey } from './mailbox-file.ts'
import { renderNews, type ScopeNews, type ThreadNews } from './news.ts'

/** The file of a process or thread in a mailbox, to which it appends whole lines. */
export interface Outbox {
  /** False for ever where nobody reads it any more. */
  readonly isOpen: boolean
  /** @returns whether it is told, or nobody wants to know; else it is to be told another time, because too much waits to be read already */
  tell(...news: readonly (ScopeNews | ThreadNews)[]): boolean
  /** Nothing is told after this. */
  close(): void
}

/** An outbox; its file is there when something is told. */
export function createOutbox({ folder, isRead }: MailboxAddress): Outbox {
  let key: string | undefined
  let number = 1
  let bytes = 0
  let isOpen = folder !== undefined

  function append(into: string, text: string): boolean {
    key ??= ownKey()
    if (bytes >= fileBytes) {
      if (existsSync(join(into, fileName(key, number + 1 - filesWaiting)))) return false
      number += 1
      bytes = 0
    }
    try {
      if (!isPrivate(into)) throw new Error('another user has made the folder anew')
      appendFileSync(join(into, fileName(key, number)), text, { mode: 0o600 })
      bytes += Buffer.byteLength(text)
      return true
    } catch {
      // Whoever measured has ended; or its folder is in the hands of something that cleans up, or on a full disk.
      isOpen = isRead()
      return !isOpen
    }
  }

  return {
    get isOpen() {
      return isOpen
    },
    tell(...news) {
      if (!isOpen || folder === undefined || news.length === 0) return true
      return append(folder, news.map(renderNews).join(''))
    },
    close() {
      isOpen = false
    },
  }
}
