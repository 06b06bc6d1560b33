import {
  closeSync,
  fdatasync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import type { ApiBody } from '../../codecarbon-api/codecarbon-api.ts'
import { messageOf } from '../../core/errors.ts'
import { writeWhole } from '../../files/append.ts'
import { makeDirectory } from '../../files/make-directory.ts'
import { tryLock, type ProcessLock } from '../../files/process-lock.ts'
import { joinSlices, nothingTold, type Slice, type Told } from './slice.ts'

/** What does not change about a run that waits. */
export interface RunHead {
  /** Where it goes to, without a slash at its end: never anywhere else. */
  readonly endpoint: string
  /** The run as it is to be made on the server. */
  readonly run: ApiBody
}

/** A line of the file. */
type Line =
  | ({ readonly v: 1 } & RunHead)
  | { readonly slice: Slice }
  | { readonly id: string }
  | { readonly told: Told }

/** What a file says. */
interface Contents {
  readonly head: RunHead
  readonly slices: readonly Slice[]
  readonly last: Slice | undefined
  readonly serverId: string | undefined
  readonly told: Told
  readonly isTorn: boolean
}

/** A lock of another host is given up after this; its owner refreshes it while it adds slices. */
const unknownOwnerMs = 24 * 60 * 60_000
const refreshMs = 60_000
/** Slices that wait, in a file and in memory: 9 MB. When there are more, each two are joined, which keeps the sums. */
const mostWaiting = 20_000
const version = 1

const dataSync = promisify(fdatasync)

/**
 * One run that waits to be delivered: a file of JSON lines, to which lines are added and in which none is changed. It is held by one process at a time. A line that was
 * torn off counts for nothing.
 *
 * Where the disk takes nothing the slices are still here, and go to the file with the next one that it takes.
 */
export class RunFile {
  readonly path: string
  readonly head: RunHead
  #lock: ProcessLock | undefined
  #file: number | undefined
  /** Slices of which those from `#from` on are waiting. */
  #slices: Slice[]
  #from = 0
  #last: Slice | undefined
  #told: Told
  #serverId: string | undefined
  /** Lines that the disk has not taken. */
  #unwritten: Line[] = []
  #problem: string | undefined
  #refreshedMs = performance.now()
  #isClosed = false

  private constructor(path: string, contents: Contents, lock: ProcessLock | undefined) {
    this.path = path
    this.head = contents.head
    this.#lock = lock
    this.#slices = [...contents.slices]
    this.#last = contents.last
    this.#told = contents.told
    this.#serverId = contents.serverId
  }

  /** Begins the file of a run, for this process alone: with its first slice. */
  static begin(path: string, head: RunHead): RunFile {
    const file = new RunFile(
      path,
      { head, slices: [], last: undefined, serverId: undefined, told: nothingTold, isTorn: false },
      undefined,
    )
    file.#unwritten.push({ v: version, ...head })
    return file
  }

  /**
   * Takes over the file that another process has left behind.
   * @returns `undefined` where a process holds it, or where there is nothing in it
   * @throws the error of the file system; another one where the file is damaged or of another version, and stays as it is
   */
  static takeOver(path: string): RunFile | undefined {
    const lock = tryLock(lockOf(path), { unknownOwnerMs })
    if (lock === undefined) return undefined
    try {
      const contents = readContents(path)
      if (contents === undefined) {
        rmSync(path, { force: true })
        lock.release()
        return undefined
      }
      const file = new RunFile(path, contents, lock)
      file.#file = openSync(path, 'a')
      if (contents.isTorn) writeSync(file.#file, '\n')
      return file
    } catch (error) {
      lock.release()
      throw error
    }
  }

  /** Slices that the server has not taken. */
  get count(): number {
    return this.#slices.length - this.#from
  }

  /** The oldest of them. */
  get first(): Slice | undefined {
    return this.#slices[this.#from]
  }

  /** All of them, oldest first. */
  waiting(): readonly Slice[] {
    return this.#slices.slice(this.#from)
  }

  get last(): Slice | undefined {
    return this.#last
  }

  /** What the server has. */
  get told(): Told {
    return this.#told
  }

  /** Id of the run on the server; `undefined` where it is not known there. */
  get serverId(): string | undefined {
    return this.#serverId
  }

  /** Why the disk takes nothing, while it does not. */
  get problem(): string | undefined {
    return this.#problem
  }

  /** Adds a slice. It survives the process from then on, and the machine when {@link RunFile.sync} has resolved. */
  add(slice: Slice): void {
    this.#last = slice
    this.#slices.push(slice)
    if (this.count > mostWaiting) this.#join()
    else this.#append({ slice })
  }

  noteServerId(id: string): void {
    this.#serverId = id
    this.#append({ id })
  }

  /** The server has taken what goes up to a slice. */
  noteTold(told: Told): void {
    this.#told = told
    while ((this.first?.n ?? Infinity) <= told.n) this.#dropOldest()
    if (this.#last !== undefined && told.n > this.#last.n) this.#last = { ...this.#last, n: told.n }
    this.#append({ told })
  }

  /** The oldest slice becomes part of the next one. @returns false where there is none */
  joinOldest(): boolean {
    const first = this.first
    const second = this.#slices[this.#from + 1]
    if (first === undefined || second === undefined) return false
    this.#slices[this.#from + 1] = joinSlices(first, second)
    this.#dropOldest()
    return true
  }

  /** Has the disk keep what was added. */
  async sync(): Promise<void> {
    if (this.#file === undefined) return
    try {
      await dataSync(this.#file)
    } catch (error) {
      // Closed in the meantime, by which it is written as well.
      if (!this.#isClosed) this.#problem = messageOf(error)
    }
  }

  /** The same for the moment at which a process ends. */
  syncNow(): void {
    try {
      if (this.#file !== undefined) fsyncSync(this.#file)
    } catch (error) {
      this.#problem = messageOf(error)
    }
  }

  /** Lets go of it. One that is delivered as a whole is removed. */
  close(isDelivered: boolean): void {
    if (this.#isClosed) return
    this.#isClosed = true
    try {
      if (this.#file !== undefined) closeSync(this.#file)
      if (isDelivered && this.#lock !== undefined) rmSync(this.path, { force: true })
    } catch {
      // A file that stays is found to be delivered by the next one.
    } finally {
      this.#lock?.release()
    }
  }

  #append(line: Line): void {
    this.#unwritten.push(line)
    if (this.#isClosed) return
    try {
      this.#hold()
      this.#file ??= openNew(this.path)
      writeWhole(this.#file, toBytes(this.#unwritten), fstatSync(this.#file).size)
      this.#unwritten = []
      this.#problem = undefined
    } catch (error) {
      this.#problem = messageOf(error)
      // All that the file has to say is in the last of them.
      if (this.#unwritten.length > mostWaiting) this.#unwritten = this.#whole()
    }
  }

  /** Others leave it alone from now on; another host cannot see that this process lives, and is told from time to time. */
  #hold(): void {
    if (this.#lock === undefined) {
      makeDirectory(dirname(this.path))
      this.#lock = tryLock(lockOf(this.path), { unknownOwnerMs })
      if (this.#lock === undefined) throw new Error('it is held by another process')
    }
    if (performance.now() - this.#refreshedMs < refreshMs) return
    this.#refreshedMs = performance.now()
    this.#lock.refresh()
  }

  #dropOldest(): void {
    this.#from += 1
    // In constant time for each, on the whole.
    if (this.#from < 1000 || this.#from < this.#slices.length / 2) return
    this.#slices = this.#slices.slice(this.#from)
    this.#from = 0
  }

  /** Joins each two slices, and writes the file anew. */
  #join(): void {
    const slices = this.waiting()
    this.#slices = slices.flatMap((slice, at) => {
      if (at % 2 === 1) return []
      const next = slices[at + 1]
      return [next === undefined ? slice : joinSlices(slice, next)]
    })
    this.#from = 0
    this.#unwritten = this.#whole()
    if (this.#isClosed) return
    const temporary = `${this.path}.tmp`
    try {
      this.#hold()
      const file = openSync(temporary, 'w', fileMode)
      try {
        writeWhole(file, toBytes(this.#unwritten), 0)
        fsyncSync(file)
      } finally {
        closeSync(file)
      }
      renameSync(temporary, this.path)
      if (this.#file !== undefined) closeSync(this.#file)
      this.#file = openSync(this.path, 'a')
      this.#unwritten = []
      this.#problem = undefined
    } catch (error) {
      this.#problem = messageOf(error)
      rmSync(temporary, { force: true })
    }
  }

  /** All that there is to say. */
  #whole(): Line[] {
    return [
      { v: version, ...this.head },
      ...(this.#serverId === undefined ? [] : [{ id: this.#serverId }]),
      { told: this.#told },
      ...this.waiting().map((slice) => ({ slice })),
    ]
  }
}

const lockOf = (path: string): string => `${path}.lock`

/** Figures are nobody else's business. */
const fileMode = 0o600

function openNew(path: string): number {
  const file = openSync(path, 'ax', fileMode)
  try {
    // The name is kept by the folder, which not every system lets be synced.
    const folder = openSync(dirname(path), 'r')
    fsyncSync(folder)
    closeSync(folder)
  } catch {
    // Then it is kept as soon as the system likes.
  }
  return file
}

const toBytes = (lines: readonly Line[]): Buffer =>
  Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))

function readContents(path: string): Contents | undefined {
  const text = readIfThere(path)
  const lines = text.split('\n').map(parseLine)
  let head: RunHead | undefined
  let serverId: string | undefined
  let told = nothingTold
  const slices: Slice[] = []
  for (const line of lines) {
    if (line === undefined) continue
    if ('v' in line) head ??= line.v === version ? { endpoint: line.endpoint, run: line.run } : undefined
    else if ('id' in line) serverId = line.id
    else if ('told' in line) told = line.told
    else if ('slice' in line) slices.push(line.slice)
  }
  if (head === undefined) {
    if (lines.every((line) => line === undefined)) return undefined
    throw new Error('it is damaged, or of another version of codecarbon, and is left as it is')
  }
  const waiting = slices.filter(({ n }) => n > told.n)
  const last = slices.at(-1)
  return {
    ...{ head, serverId, told, slices: waiting },
    last: last !== undefined && told.n > last.n ? { ...last, n: told.n } : last,
    isTorn: text !== '' && !text.endsWith('\n'),
  }
}

/** Another process may have delivered it a moment ago. */
function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}

function parseLine(text: string): Line | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Line) : undefined
  } catch {
    // Torn off, or the end of the file.
    return undefined
  }
}

/** More than the first line has. */
const mostHeadBytes = 16_384

/** Where a run that waits is to go; `undefined` where the file does not say. Nobody needs to hold it. */
export function endpointOf(path: string): string | undefined {
  try {
    const file = openSync(path, 'r')
    try {
      const bytes = Buffer.alloc(mostHeadBytes)
      const [first = ''] = bytes.toString('utf8', 0, readSync(file, bytes)).split('\n', 1)
      const line = parseLine(first)
      return line !== undefined && 'v' in line ? line.endpoint : undefined
    } finally {
      closeSync(file)
    }
  } catch {
    // Delivered and removed in the meantime.
    return undefined
  }
}
