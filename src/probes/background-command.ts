import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Runs a program in the background and hands over what it wrote, or why it did not. */
export type RunCommand = (
  program: string,
  args: readonly string[],
  done: (output: string | Error) => void,
) => () => void

/** A meter that takes longer has nothing to say any more. */
const timeoutMs = 10_000
/** No answer that is asked for here has a hundredth of this. */
const mostBytes = 1_000_000

/** Runs a program that keeps nobody waiting: the process may end before it does, which then is killed. In English, whatever the user speaks. */
export const runInBackground: RunCommand = (program, args, done) => {
  let kill = (): void => undefined
  let calledOff = false
  function settle(output: string | Error): void {
    if (!calledOff) done(output)
  }
  // Loaded when it is first needed, which on most machines is never.
  void import('node:child_process')
    .then(({ execFile }) => {
      if (calledOff) return
      const env = { ...process.env, LC_ALL: 'C' }
      const child = execFile(program, args, { env, maxBuffer: mostBytes }, (error, stdout, stderr) => {
        clearTimeout(timer)
        settle(error === null ? stdout : failureOf(program, error, stderr))
      })
      kill = () => {
        child.kill('SIGKILL')
      }
      // The option `timeout` of execFile would keep the process alive that long.
      const timer = setTimeout(kill, timeoutMs)
      timer.unref()
      child.unref()
      for (const pipe of [child.stdin, child.stdout, child.stderr]) unref(pipe)
      child.stdin?.end()
    })
    .catch((error: unknown) => {
      settle(error instanceof Error ? error : new Error(String(error)))
    })
  return () => {
    calledOff = true
    kill()
  }
}

/** Pipes of children are sockets, whatever their type says. */
function unref(pipe: object | null | undefined): void {
  // There is none where the system has no descriptor to spare.
  if (pipe !== null && pipe !== undefined && 'unref' in pipe && typeof pipe.unref === 'function') pipe.unref()
}

function failureOf(program: string, error: Error & { killed?: boolean }, stderr: string): Error {
  if (error.killed === true) return new Error(`${program} took longer than ${timeoutMs / 1000} s`)
  const [said = ''] = stderr.trim().split('\n')
  return new Error(`${program} failed: ${said === '' ? error.message : said.slice(0, 200)}`)
}

/** The program's file, from PATH and some folders that are not in everybody's; `undefined` where there is none that may be run. */
export function findProgram(
  name: string,
  folders: readonly string[] = [],
  path: string = process.env['PATH'] ?? '',
): string | undefined {
  const candidates = [...path.split(delimiter).filter((folder) => folder !== ''), ...folders]
  return candidates.map((folder) => join(folder, name)).find(isRunnable)
}

function isRunnable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    // Not there, or not for us.
    return false
  }
}
