import { printable, type Log } from '../../log.ts'

/** Tells a warning, unless one of that kind was told before. */
export type WarnOnce = (kind: string, message: string) => void

export function createWarnOnce(log: Log): WarnOnce {
  const told = new Set<string>()
  return (kind, message) => {
    if (told.has(kind)) return
    told.add(kind)
    const prefix = message.startsWith('Comet') ? '' : 'Comet: '
    log('warning', `${prefix}${printable(message)}`)
  }
}
