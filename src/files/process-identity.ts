import { readFileSync } from 'node:fs'

/** Whether a process with this number is there, whosever it is. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Tells a process from a later one with the same number; on Linux only. One that has ended and that nobody has waited for has none. */
export function startTime(pid: number): string | undefined {
  const fields = statOf(pid)
  return fields === undefined || fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19]
}

/** The number of the process that began it, or has taken it over; on Linux only. */
export function parentOf(pid: number): number | undefined {
  const parent = Number(statOf(pid)?.[1])
  return parent > 0 ? parent : undefined
}

/** `/proc/<pid>/stat` (proc_pid_stat(5)) from its third field on, behind the name. */
function statOf(pid: number): readonly string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    // No procfs: the process number alone must do.
    return undefined
  }
}
