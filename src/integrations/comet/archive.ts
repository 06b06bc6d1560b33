import {
  accessSync,
  constants,
  copyFileSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { randomBytes } from 'node:crypto'
import { basename, join } from 'node:path'
import type * as Fflate from 'fflate'
import { messageOf } from '../../core/errors.ts'
import { appendWhole } from '../../files/append.ts'
import { makeDirectory } from '../../files/make-directory.ts'
import { tryLock, type ProcessLock } from '../../files/process-lock.ts'
import { writeWholeFile } from '../../files/whole-file.ts'
import { ownRequire } from '../../package-file.ts'
import { toLines, type ArchiveLine } from './archive-lines.ts'
import type { CometMessage } from './message.ts'

/** What an archive says of its experiment. */
export interface ArchiveFacts {
  readonly workspace: string | undefined
  readonly projectName: string
  readonly experimentName: string | undefined
  /** Of an experiment that is there already, to which the archive is to be added; known later, maybe. */
  readonly experimentKey: () => string | undefined
  /** The name under which the server may have made it though its answer was lost. */
  readonly ownName: string | undefined
  readonly tags: readonly string[]
  readonly startMs: number
}

/** What an archive is made with. */
export interface ArchiveOptions {
  /** Folders that it may be in; the first one that takes it. */
  readonly folders: readonly string[]
  readonly facts: ArchiveFacts
  /** Milliseconds since 1970. */
  readonly nowMs: () => number
  /** Told once, when nothing can be written to a folder any more. */
  readonly onFailure: (message: string) => void
  /** Something could not be written, for a reason of its own. */
  readonly onLoss: (message: string) => void
}

/** A message, and whether it may have come to the server before. */
export interface ArchiveEntry {
  readonly message: CometMessage
  readonly isUncertain: boolean
}

/** An experiment that is being written to disk. Nothing here throws or waits. */
export interface Archive {
  /** 32 hexadecimal digits. */
  readonly id: string
  /** @returns how many could not be written */
  write(entries: readonly ArchiveEntry[]): number
  /** Puts it into one file. @returns its path; that of a folder where it is too large for that; `undefined` where nothing could be written */
  close(): string | undefined
}

/** Packed while the process ends and nobody wants to wait, so larger ones stay a folder, which can be uploaded as well. */
const largestZipBytes = 16 * 1024 * 1024

/** Held by the process that writes a folder; it is no part of the archive. */
export const writerLock = 'writer.lock'
/** On a host that cannot be asked, a folder is nobody's after this. */
export const unknownWriterMs: number = 60 * 60_000

/**
 * Writes an experiment as `comet_ml` writes one offline: `experiment.json`, `messages.json` with an object a line, and the files, which become
 * `<id>.zip` in the end. Whatever moment the process ends at, there is a folder `<id>` that can be uploaded.
 */
export function createArchive({ folders, facts, nowMs, onFailure, onLoss }: ArchiveOptions): Archive {
  const id = randomBytes(16).toString('hex')
  /** Names in the archive by the names of assets that replace each other. */
  const replaceable = new Map<string, string>()
  const tags = new Set(facts.tags)
  let times = { startMs: facts.startMs, endMs: undefined as number | undefined }
  let error: string | undefined
  let folder: string | undefined
  let lock: ProcessLock | undefined
  let files = 0
  let isTold = false

  function attempt<T>(action: () => T): T | undefined {
    try {
      return action()
    } catch (cause) {
      if (cause instanceof AssetError) {
        onLoss(cause.message)
        return undefined
      }
      if (!isTold) onFailure(`${folder ?? folders.join(' and ')} cannot be written: ${messageOf(cause)}`)
      isTold = true
      return undefined
    }
  }

  function place(): string {
    if (folder !== undefined) return folder
    let cause: unknown
    for (const candidate of folders) {
      try {
        const path = join(candidate, id)
        makeDirectory(path)
        folder = path
        describe(path)
        lock = tryLock(join(path, writerLock), { unknownOwnerMs: unknownWriterMs })
        if (candidate !== folders[0])
          onLoss(`${folders[0]} cannot be written, ${candidate} takes its place: ${messageOf(cause)}`)
        return path
      } catch (problem) {
        folder = undefined
        cause ??= problem
      }
    }
    throw cause
  }

  /** Beside and renamed, so that it is whole whenever the process ends. */
  function describe(path: string): void {
    writeWholeFile(join(path, 'experiment.json'), `${JSON.stringify(describeExperiment(), undefined, 2)}\n`)
  }

  function describeExperiment(): object {
    const experimentKey = facts.experimentKey()
    return {
      offline_id: id,
      project_name: facts.projectName,
      workspace: facts.workspace ?? null,
      experiment_name: facts.experimentName ?? null,
      ...(experimentKey === undefined ? {} : { experiment_key: experimentKey }),
      ...(facts.ownName === undefined ? {} : { made_as: facts.ownName }),
      start_time: times.startMs,
      stop_time: times.endMs ?? nowMs(),
      tags: [...tags],
      ...(error === undefined ? {} : { has_crashed: true, error }),
      disabled: false,
      log_code: false,
      log_graph: false,
      log_git_metadata: false,
      log_env_details: true,
      parse_args: false,
      auto_metric_logging: false,
      auto_param_logging: false,
      auto_output_logging: false,
      feature_toggles_overrides: {},
    }
  }

  /** The lines that tell a message, whose file is written. */
  function linesOf({ message, isUncertain }: ArchiveEntry, path: string): ArchiveLine[] {
    if (message.type === 'tags') for (const tag of message.tags) tags.add(tag)
    else if (message.type === 'times')
      times = { startMs: message.startMs ?? times.startMs, endMs: message.endMs ?? times.endMs }
    else if (message.type === 'status') error = message.error ?? error
    if (message.type !== 'asset') return toLines(message, nowMs(), { filePath: '', isUncertain })
    const known = message.overwrite ? replaceable.get(message.fileName) : undefined
    const filePath = known ?? `file-${(files += 1)}-${basename(message.fileName).replace(/[^\w.-]/g, '_')}`
    if ('bytes' in message.content) writeFileSync(join(path, filePath), message.content.bytes)
    else copyAsset(message.content.path, join(path, filePath))
    if (message.overwrite) replaceable.set(message.fileName, filePath)
    return known === undefined ? toLines(message, nowMs(), { filePath, isUncertain }) : []
  }

  return {
    id,
    write(entries) {
      const path = attempt(place)
      if (path === undefined) return entries.length
      const lines: string[] = []
      let lost = 0
      for (const entry of entries) {
        const told = attempt(() => linesOf(entry, path))
        if (told === undefined) lost += 1
        else lines.push(...told.map((line) => `${JSON.stringify(line)}\n`))
      }
      const isWritten = attempt(() => {
        appendWhole(join(path, 'messages.json'), () => lines.join(''))
        return true
      })
      const isDescribed = entries.some(({ message }) => ['tags', 'times', 'status'].includes(message.type))
      if (isDescribed) {
        attempt(() => {
          describe(path)
        })
      }
      return isWritten === true ? lost : entries.length
    },
    close() {
      const path = attempt(place)
      if (path === undefined) return undefined
      attempt(() => {
        describe(path)
      })
      const ended = pack(path) ?? path
      attempt(() => lock?.release())
      return ended
    },
  }
}

/** A file of the user's that cannot be had. */
class AssetError extends Error {}

function copyAsset(from: string, to: string): void {
  try {
    accessSync(from, constants.R_OK)
  } catch (cause) {
    throw new AssetError(`${from} is left out: ${messageOf(cause)}`)
  }
  copyFileSync(from, to, constants.COPYFILE_FICLONE)
}

/** The zip file; `undefined` where the folder has to do: too large to be packed in memory, no room for both, packages that are gone. */
function pack(folder: string): string | undefined {
  try {
    const names = readdirSync(folder).filter((name) => name !== writerLock)
    const bytes = names.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)
    if (bytes > largestZipBytes) return undefined
    // Not `import()`: the process may be ending.
    const { zipSync } = ownRequire()('fflate') as typeof Fflate
    const zip = `${folder}.zip`
    writeWholeFile(
      zip,
      zipSync(Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name))])), {
        level: 0,
      }),
    )
    rmSync(folder, { recursive: true, force: true })
    return zip
  } catch {
    return undefined
  }
}
