import { setProcessScopes } from '../../scopes/process-scopes.ts'
import type { MailboxAddress } from './mailbox-address.ts'
import { MailboxScopes } from './mailbox-scopes.ts'
import { onThreadEnd } from './thread-ends.ts'

/** Tells the scopes of this process or thread to whoever measures. */
export function beginChild(mailbox: MailboxAddress): void {
  const scopes = new MailboxScopes(mailbox)
  setProcessScopes(scopes)
  if (mailbox.folder === undefined) return
  onThreadEnd((thread) => {
    scopes.tellThreadEnd(thread)
  })
}
