/** Severities, least first, as upstream names them. */
const severities = ['debug', 'info', 'warning', 'error', 'critical'] as const
/** One of the severities. */
export type Severity = (typeof severities)[number]

/** Tells what a person should know. Never on stdout, which belongs to the program. */
export type Log = (severity: Severity, message: string, facts?: LogFacts) => void

/** What a message is about, for logs that machines read. Units are in the names. */
export type LogFacts = Readonly<Record<string, string | number | boolean | null | undefined>>

/** Where a program wants messages to go instead of stderr: the console, pino and winston are such loggers. */
export interface Logger {
  debug(message: string): void
  info(message: string): void
  warn(message: string): void
  error(message: string): void
}

/** How a log is kept. */
export interface LogOptions {
  /** Least severe messages to be told. */
  readonly level: Severity
  /** Text put into each line. */
  readonly preamble?: string | undefined
  readonly logger?: Logger | undefined
  /** `json`: an object a line. @default 'text' */
  readonly format?: 'text' | 'json' | undefined
}

/** A log on stderr, `[codecarbon WARNING @ 12:00:00] message`, or by the program's own logger. Never throws. */
export function createLog({ level, preamble = '', logger, format = 'text' }: LogOptions): Log {
  const least = severities.indexOf(level)
  const prefix = preamble === '' ? '' : `[${preamble}] `
  return (severity, words, facts) => {
    if (severities.indexOf(severity) < least) return
    const message = words.replace(/\s*[\r\n]+\s*/g, ' ')
    if (logger !== undefined) {
      handOver(logger, severity, `${prefix}[codecarbon] ${message}`)
    } else if (format === 'json') {
      const line = {
        time: new Date().toISOString(),
        level: severity,
        message,
        ...(preamble === '' ? {} : { preamble }),
        ...facts,
      }
      printOnStderr(`${JSON.stringify(line)}\n`)
    } else {
      const time = new Date().toTimeString().slice(0, 8)
      printOnStderr(`${prefix}[codecarbon ${severity.toUpperCase()} @ ${time}] ${message}\n`)
    }
  }
}

/** Text on one line that gives a terminal no commands: names and values are other people's. */
export const printable = (text: string): string => text.replace(/[\p{Cc}\u2028\u2029]/gu, '\uFFFD')

const methods = { debug: 'debug', info: 'info', warning: 'warn', error: 'error', critical: 'error' } as const

function handOver(logger: Logger, severity: Severity, text: string): void {
  try {
    logger[methods[severity]](text)
  } catch {
    // A logger that fails must not take the program or the measurement with it, and there is nobody left to tell.
  }
}

/**
 * Writes on stderr without disturbing anyone: a reader that has gone away is an `error` event of the stream, which would end the program if
 * nobody listened for it.
 */
export function printOnStderr(text: string): void {
  const safe = text.split('\n').map(printable).join('\n')
  if (pendingWrites === 0) process.stderr.on('error', ignore)
  pendingWrites += 1
  try {
    process.stderr.write(safe, () => {
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
