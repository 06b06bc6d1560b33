import { spawn, type ChildProcess } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { Clock } from '../../core/clock.ts'
import { messageOf } from '../../core/errors.ts'
import { parseSmiRow, smiFields, type SmiRow } from './smi-row.ts'

/** Options of {@link createSmiStream}. */
export interface SmiStreamOptions {
  readonly program: string
  readonly clock: Clock
  /** Called with every row as it comes. */
  readonly onRow: (row: SmiRow) => void
  /** Called when the program ended or could not be started; it will be started again. */
  readonly onEnd: (reason: string) => void
}

/** A program that goes on telling until it is closed. */
export interface SmiStream {
  close(): void
}

/** Half of the second that newer cards take the mean over; each look costs the driver and the program some milliseconds. */
const loopMilliseconds = 500
/** When a program that ended is started again: at first soon, then ever more seldom, for starting it may cost a second of CPU time. */
const firstRetryMs = 5000
const lastRetryMs = 300_000
/** No row is longer; what is, is not one. */
const longestLine = 4096

/** The program as `PATH` finds it, and where Windows' driver puts it; `undefined` where it is not there. */
export function findSmi(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): string | undefined {
  const isWindows = process.platform === 'win32'
  const name = isWindows ? 'nvidia-smi.exe' : 'nvidia-smi'
  const own = isWindows
    ? [join(environment['SystemRoot'] ?? 'C:\\Windows', 'System32')]
    : ['/usr/lib/wsl/lib']
  const folders = (environment['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')
  return [...folders, ...own].map((folder) => join(folder, name)).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    // Not here; perhaps in the next folder.
    return false
  }
}

/**
 * Runs nvidia-smi once, for as long as it is wanted, and hands on what it writes. It keeps no program alive; it is killed when it is closed
 * or our process exits, and where that was killed itself, it ends by its next write to a pipe that nobody reads.
 */
export function createSmiStream({ program, clock, onRow, onEnd }: SmiStreamOptions): SmiStream {
  let child: ChildProcess | undefined
  let cancelRetry: (() => void) | undefined
  let retryMs = firstRetryMs
  let closed = false

  function start(): void {
    cancelRetry = undefined
    const query = `--query-gpu=${smiFields.join(',')}`
    let hasEnded = false
    const end = (reason: string): void => {
      if (hasEnded) return
      hasEnded = true
      child = undefined
      if (closed) return
      onEnd(reason)
      cancelRetry = clock.after(retryMs, start)
      retryMs = Math.min(lastRetryMs, retryMs * 2)
    }
    try {
      child = begin(query, end)
    } catch (error) {
      end(`${program} could not be started: ${messageOf(error)}`)
    }
  }

  function begin(query: string, end: (reason: string) => void): ChildProcess {
    const started = spawn(
      program,
      [query, '--format=csv,noheader,nounits', `--loop-ms=${loopMilliseconds}`],
      {
        stdio: ['ignore', 'pipe', 'ignore'],
        windowsHide: true,
        env: { ...process.env, LC_ALL: 'C' },
      },
    )
    started.once('error', ({ message }) => {
      end(`${program} could not be started: ${message}`)
    })
    started.once('close', (code, signal) => {
      end(`${program} ended ${signal === null ? `with status ${code}` : `by ${signal}`}`)
    })
    started.unref()
    // There is none where the system has no descriptor to spare. A pipe is a socket, whatever its type says.
    const stdout = started.stdout as (typeof started.stdout & { unref?: () => void }) | null | undefined
    stdout?.unref?.()
    stdout?.setEncoding('utf8')
    const lines = createLineReader((line) => {
      const row = parseSmiRow(line)
      if (row === undefined || closed) return
      retryMs = firstRetryMs
      onRow(row)
    })
    stdout?.on('data', lines)
    stdout?.on('error', () => {
      // The end of the process, which follows, is told.
    })
    return started
  }

  const kill = (): void => {
    child?.kill('SIGKILL')
  }
  process.once('exit', kill)
  start()
  return {
    close() {
      if (closed) return
      closed = true
      cancelRetry?.()
      process.removeListener('exit', kill)
      kill()
    },
  }
}

/** Puts pieces of text together to lines. */
export function createLineReader(onLine: (line: string) => void): (piece: string) => void {
  let rest = ''
  return (piece) => {
    const lines = (rest + piece).split(/\r?\n/)
    rest = lines.pop() ?? ''
    if (rest.length > longestLine) rest = ''
    for (const line of lines) onLine(line)
  }
}
