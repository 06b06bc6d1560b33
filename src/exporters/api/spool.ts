import { readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { tryLock } from '../../files/process-lock.ts'
import { endpointOf, RunFile, type RunHead } from './run-file.ts'

/** Runs that wait to be delivered, in a folder that all processes of a user share. */
export interface Spool {
  readonly folder: string
  /** Begins a run. Never throws. */
  begin(name: string, head: RunHead): RunFile
  /** Files of runs that wait to go to an address, the oldest first. */
  waitingFor(endpoint: string): readonly string[]
  /** Other addresses that runs wait to go to. */
  otherEndpoints(endpoint: string): readonly string[]
}

/** Options of {@link openSpool}. */
export interface SpoolOptions {
  readonly folder: string
  /** Wall-clock time in milliseconds since 1970. */
  readonly nowMs: () => number
  /** Told where runs were given up: they are too old, or too much. */
  readonly onGivenUp: (message: string) => void
  readonly mostBytes?: number
}

/** Runs that nobody could deliver for so long. */
const mostAgeMs = 90 * 24 * 60 * 60_000
/** Of all runs together: some 150,000 slices, half a year of one machine. */
const usualMostBytes = 64_000_000
const ending = '.jsonl'

export function openSpool({ folder, nowMs, onGivenUp, mostBytes = usualMostBytes }: SpoolOptions): Spool {
  function list(): { path: string; bytes: number; changedMs: number }[] {
    let names: string[]
    try {
      names = readdirSync(folder)
    } catch {
      // Nothing has waited yet.
      return []
    }
    return names
      .filter((name) => name.endsWith(ending))
      .toSorted()
      .flatMap((name) => {
        const path = join(folder, name)
        const stats = statSync(path, { throwIfNoEntry: false })
        return stats === undefined ? [] : [{ path, bytes: stats.size, changedMs: stats.mtimeMs }]
      })
  }

  /** Gives up what is too old, and the oldest where there is too much; nothing that a process holds. */
  function makeRoom(): void {
    const files = list()
    let bytes = files.reduce((sum, file) => sum + file.bytes, 0)
    let given = 0
    for (const file of files) {
      const isOld = nowMs() - file.changedMs > mostAgeMs
      if (!isOld && bytes <= mostBytes) continue
      if (!removeUnheld(file.path)) continue
      bytes -= file.bytes
      given += 1
    }
    if (given > 0)
      onGivenUp(
        `${given} run${given === 1 ? '' : 's'} that waited in ${folder} to be sent to the CodeCarbon API ${given === 1 ? 'is' : 'are'} given up: older than ${mostAgeMs / 86_400_000} days, or more than ${mostBytes / 1e6} MB together`,
      )
  }

  return {
    folder,
    begin(name, head) {
      makeRoom()
      return RunFile.begin(join(folder, `${name}${ending}`), head)
    },
    waitingFor: (endpoint) =>
      list()
        .map(({ path }) => path)
        .filter((path) => endpointOf(path) === endpoint),
    otherEndpoints: (endpoint) =>
      [...new Set(list().flatMap(({ path }) => endpointOf(path) ?? []))].filter((one) => one !== endpoint),
  }
}

function removeUnheld(path: string): boolean {
  const lock = tryLock(`${path}.lock`, { unknownOwnerMs: mostAgeMs })
  if (lock === undefined) return false
  try {
    rmSync(path, { force: true })
    return true
  } catch {
    return false
  } finally {
    lock.release()
  }
}
