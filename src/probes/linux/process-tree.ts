import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { TreeSource } from '../../core/load.ts'
import { seconds } from '../../core/units.ts'

/** Options of {@link createProcessTree}. */
export interface ProcessTreeOptions {
  /** Process at the root of the tree. @default process.pid */
  readonly pid?: number
  /** Count the root's own work too, not only that of its descendants. @default true */
  readonly includeRoot?: boolean
  /** A variable, `NAME=value`, in the environment of every process of the tree: finds those that their parents left behind unseen. */
  readonly mark?: string | undefined
  /** @default '/proc' */
  readonly procfsPath?: string
  /** Bytes of a page of memory. @default those of this process */
  readonly pageBytes?: number
}

const ticksPerSecond = 100
const usualPageBytes = 4096

/** Our number as this procfs counts: that of the host, where a container is given the host's. */
function ownPid(procfsPath: string): number {
  try {
    return Number(readlinkSync(join(procfsPath, 'self')))
  } catch {
    // Not a real procfs.
    return process.pid
  }
}

/** Size of a page, which some ARM and POWER kernels have as 16 or 64 KiB: what Node and procfs say of this process, in bytes and in pages. */
function findPageBytes(procfsPath: string): number {
  const pages = readStat(procfsPath, 'self')?.residentPages ?? 0
  if (pages <= 0) return usualPageBytes
  return Math.max(usualPageBytes, 2 ** Math.round(Math.log2(process.memoryUsage.rss() / pages)))
}

/**
 * CPU time and memory of a process and all its descendants, from `<procfs>/<pid>/stat` (proc_pid_stat(5)).
 *
 * A process that ends is not lost: the kernel adds its time to its parent's `cutime`, which is read too, so children that lived and died
 * between two reads count. One whose parent did not wait for it, or that was left behind by its parent, is remembered here.
 */
export function createProcessTree(options: ProcessTreeOptions = {}): TreeSource {
  const { includeRoot = true, procfsPath = '/proc', mark } = options
  const { pid = ownPid(procfsPath) } = options
  const { pageBytes = findPageBytes(procfsPath) } = options
  const marked = mark === undefined ? undefined : new MarkedProcesses(procfsPath, mark)
  let members = new Map<number, ProcessStat>()
  /** Ticks of processes that ended without their parent taking them over. */
  let departed = 0
  let baseline: number | undefined
  let highest = 0

  function discover(): Map<number, ProcessStat> {
    const found = new Map<number, ProcessStat>()
    const queue = [pid, ...members.keys(), ...(marked?.find() ?? [])]
    const parents = new LazyChildren(procfsPath)
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      if (found.has(next)) continue
      const stat = readStat(procfsPath, next)
      const known = members.get(next)
      if (stat === undefined) continue
      // The number of a process that ended may have been given to a stranger.
      if (known !== undefined && known.startTime !== stat.startTime) continue
      found.set(next, stat)
      queue.push(...parents.of(next))
    }
    return found
  }

  return {
    read() {
      const now = discover()
      if (!now.has(pid)) return undefined
      departed += lostBetween(members, now)
      members = now
      let ticks = departed
      let residentPages = 0
      for (const stat of now.values()) {
        const isRoot = stat.pid === pid
        ticks += stat.waitedFor + (isRoot && !includeRoot ? 0 : stat.own)
        residentPages += isRoot && !includeRoot ? 0 : stat.residentPages
      }
      baseline ??= ticks
      // A process missed in one look and found in the next may make the sum fall for a moment; time used does not.
      highest = Math.max(highest, ticks - baseline)
      const pids = new Set([...now.keys()].filter((member) => includeRoot || member !== pid))
      return { cpu: seconds(highest / ticksPerSecond), residentBytes: residentPages * pageBytes, pids }
    },
  }
}

/** What `/proc/<pid>/stat` tells of one process, times in clock ticks. */
export interface ProcessStat {
  readonly pid: number
  readonly parent: number
  /** User and system time of the process itself. */
  readonly own: number
  /** The same of all its children that it waited for, and theirs. */
  readonly waitedFor: number
  /** Tells one process from a later one with the same number. */
  readonly startTime: number
  readonly residentPages: number
}

/** Parses `/proc/<pid>/stat`; the name in brackets may hold anything, brackets and line breaks too. */
export function parseProcessStat(text: string): ProcessStat | undefined {
  const open = text.indexOf('(')
  const close = text.lastIndexOf(')')
  if (open < 0 || close < open) return undefined
  const field = text
    .slice(close + 2)
    .split(' ')
    .map(Number)
  const at = (index: number): number => field[index - 3] ?? NaN
  const stat = {
    pid: Number(text.slice(0, open)),
    parent: at(4),
    own: at(14) + at(15),
    waitedFor: at(16) + at(17),
    startTime: at(22),
    residentPages: at(24),
  }
  return Object.values(stat).every((value) => Number.isFinite(value)) ? stat : undefined
}

/**
 * Time of members that are gone and that did not turn up with their nearest surviving ancestor: a parent that waits takes over its
 * child's time, and its own parent then takes over both.
 */
function lostBetween(
  before: ReadonlyMap<number, ProcessStat>,
  now: ReadonlyMap<number, ProcessStat>,
): number {
  const goneByHeir = new Map<number, number>()
  for (const stat of before.values()) {
    if (now.has(stat.pid)) continue
    let heir = stat.parent
    while (!now.has(heir)) {
      const gone = before.get(heir)
      if (gone === undefined) break
      heir = gone.parent
    }
    goneByHeir.set(heir, (goneByHeir.get(heir) ?? 0) + stat.own + stat.waitedFor)
  }
  let lost = 0
  for (const [heir, ticks] of goneByHeir) {
    const after = now.get(heir)?.waitedFor ?? 0
    const inherited = after - (before.get(heir)?.waitedFor ?? after)
    lost += Math.max(0, ticks - inherited)
  }
  return lost
}

/** Processes whose environment has a mark. Each is looked at once, when it first turns up. */
class MarkedProcesses {
  readonly #procfsPath: string
  readonly #mark: string
  /** Start time of each process that is marked, `undefined` of each that is not. */
  #known = new Map<string, number | undefined>()

  constructor(procfsPath: string, mark: string) {
    this.#procfsPath = procfsPath
    this.#mark = `\0${mark}\0`
  }

  find(): readonly number[] {
    const before = this.#known
    this.#known = new Map()
    for (const name of this.#list()) {
      if (/^\d+$/.test(name)) this.#known.set(name, this.#look(name, before))
    }
    return [...this.#known].flatMap(([name, startTime]) => (startTime === undefined ? [] : [Number(name)]))
  }

  #look(name: string, before: ReadonlyMap<string, number | undefined>): number | undefined {
    const known = before.get(name)
    if (known === undefined && before.has(name)) return undefined
    const startTime = readStat(this.#procfsPath, Number(name))?.startTime
    // The number of one that ended may have been given to another.
    if (known !== undefined && known === startTime) return known
    return startTime !== undefined && this.#isMarked(name) ? startTime : undefined
  }

  #list(): readonly string[] {
    try {
      return readdirSync(this.#procfsPath)
    } catch {
      // The tree is then what its root's children are.
      return []
    }
  }

  #isMarked(pid: string): boolean {
    try {
      return `\0${readFileSync(join(this.#procfsPath, pid, 'environ'), 'latin1')}\0`.includes(this.#mark)
    } catch {
      // Another user's, or gone.
      return false
    }
  }
}

/**
 * Children of a process. The kernel lists them per thread in `task/<tid>/children` where it was built so; else the parents of all
 * processes are looked up, once per read.
 */
class LazyChildren {
  readonly #procfsPath: string
  #byParent: Map<number, number[]> | undefined

  constructor(procfsPath: string) {
    this.#procfsPath = procfsPath
  }

  of(pid: number): readonly number[] {
    if (this.#byParent !== undefined) return this.#byParent.get(pid) ?? []
    const tasks = join(this.#procfsPath, String(pid), 'task')
    try {
      return readdirSync(tasks).flatMap((thread) =>
        readFileSync(join(tasks, thread, 'children'), 'latin1')
          .split(' ')
          .filter(Boolean)
          .map(Number),
      )
    } catch {
      // Not listed by this kernel, or the process just ended: ask every process for its parent.
      this.#byParent = this.#scan()
      return this.#byParent.get(pid) ?? []
    }
  }

  #scan(): Map<number, number[]> {
    const byParent = new Map<number, number[]>()
    for (const name of readdirSync(this.#procfsPath)) {
      if (!/^\d+$/.test(name)) continue
      const stat = readStat(this.#procfsPath, Number(name))
      if (stat === undefined) continue
      const siblings = byParent.get(stat.parent)
      if (siblings === undefined) byParent.set(stat.parent, [stat.pid])
      else siblings.push(stat.pid)
    }
    return byParent
  }
}

function readStat(procfsPath: string, pid: number | 'self'): ProcessStat | undefined {
  try {
    return parseProcessStat(readFileSync(join(procfsPath, String(pid), 'stat'), 'latin1'))
  } catch {
    // It ended between listing and reading, which is no error.
    return undefined
  }
}
