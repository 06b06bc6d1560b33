import { appendFileSync } from 'node:fs'
import type { Log, Severity } from '../../log.ts'

/** Names of severities of Python's logging, most talkative first. */
const severities: readonly Severity[] = ['debug', 'info', 'warning', 'error', 'critical']

/** A log that writes to a file as well, from a severity on; `info` where that is none. A file that cannot be written is left alone. */
export function withLogFile(log: Log, path: string, least = 'info'): Log {
  const from = severities.indexOf(least.toLowerCase() as Severity)
  let isUseless = false
  return (severity, message, facts) => {
    log(severity, message, facts)
    if (isUseless || severities.indexOf(severity) < (from < 0 ? 1 : from)) return
    try {
      appendFileSync(
        path,
        `${new Date().toISOString()} ${severity.toUpperCase()} ${message.replace(/\s*[\r\n]+\s*/g, ' ')}\n`,
      )
    } catch (error) {
      isUseless = true
      log('warning', `COMET_LOGGING_FILE: ${path} cannot be written: ${(error as Error).message}`)
    }
  }
}
