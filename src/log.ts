/** Severities, least first, as upstream names them. */
const severities = ['debug', 'info', 'warning', 'error', 'critical'] as const
/** One of the severities. */
export type Severity = (typeof severities)[number]

/** Prints what a person should know. Never on stdout, which belongs to the program. */
export type Log = (severity: Severity, message: string) => void

/** A log on stderr: `[codecarbon WARNING @ 12:00:00] message`. Never throws. */
export function createLog(level: Severity, preamble = ''): Log {
  const least = severities.indexOf(level)
  return (severity, message) => {
    if (severities.indexOf(severity) < least) return
    const time = new Date().toTimeString().slice(0, 8)
    const prefix = preamble === '' ? '' : `[${preamble}] `
    printOnStderr(`${prefix}[codecarbon ${severity.toUpperCase()} @ ${time}] ${message}\n`)
  }
}

/**
 * Writes on stderr without disturbing anyone: a reader that has gone away is an `error` event of the stream, which would end the program if
 * nobody listened for it.
 */
export function printOnStderr(text: string): void {
  if (pendingWrites === 0) process.stderr.on('error', ignore)
  pendingWrites += 1
  try {
    process.stderr.write(text, () => {
      setImmediate(release)
    })
  } catch {
    release()
  }
}

let pendingWrites = 0
const ignore = (): void => undefined

function release(): void {
  pendingWrites -= 1
  if (pendingWrites === 0) process.stderr.off('error', ignore)
}
