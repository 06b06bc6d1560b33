import { copyFileSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { createRequire } from 'node:module'
import { basename, join } from 'node:path'
import type * as Fflate from 'fflate'
import { messageOf } from '../../core/errors.ts'
import { appendWhole } from '../../files/append.ts'
import { makeDirectory } from '../../files/make-directory.ts'
import { writeWholeFile } from '../../files/whole-file.ts'
import { toLines, type LineFacts } from './archive-lines.ts'
import type { CometMessage } from './message.ts'

/** What an archive says of its experiment. */
export interface ArchiveFacts {
  readonly workspace: string | undefined
  readonly projectName: string
  readonly experimentName: string | undefined
  /** Of an experiment that is there already, to which the archive is to be added. */
  readonly experimentKey: string | undefined
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
  /** Told once, when something could not be written. */
  readonly onFailure: (message: string) => void
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
  write(entries: readonly ArchiveEntry[]): void
  /** Puts it into one file. @returns its path; that of a folder where it is too large for that; `undefined` where nothing could be written */
  close(): string | undefined
}

/** Packed in memory, so larger ones stay a folder, which can be uploaded as well. */
const largestZipBytes = 256 * 1024 * 1024

/** Loaded when an archive ends, which may be when the process does. Not `import()`: that could not be waited for. */
const require = createRequire(import.meta.url)

/**
 * Writes an experiment as `comet_ml` writes one offline: `experiment.json`, `messages.json` with an object a line, and the files, which become
 * `<id>.zip` in the end. Whatever moment the process ends at, there is a folder `<id>` that can be uploaded.
 */
export function createArchive({ folders, facts, nowMs, onFailure }: ArchiveOptions): Archive {
  const id = randomBytes(16).toString('hex')
  /** Names in the archive by the names of assets that replace each other. */
  const replaceable = new Map<string, string>()
  const tags = new Set(facts.tags)
  let times = { startMs: facts.startMs, endMs: undefined as number | undefined }
  let error: string | undefined
  let folder: string | undefined
  let files = 0
  let isTold = false

  function attempt<T>(action: () => T): T | undefined {
    try {
      return action()
    } catch (cause) {
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
        return path
      } catch (problem) {
        folder = undefined
        cause = problem
      }
    }
    throw cause
  }

  /** Beside and renamed, so that it is whole whenever the process ends. */
  function describe(path: string): void {
    writeWholeFile(join(path, 'experiment.json'), `${JSON.stringify(describeExperiment(), undefined, 2)}\n`)
  }

  function describeExperiment(): object {
    return {
      offline_id: id,
      project_name: facts.projectName,
      workspace: facts.workspace ?? null,
      experiment_name: facts.experimentName ?? null,
      ...(facts.experimentKey === undefined ? {} : { experiment_key: facts.experimentKey }),
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

  function writeOne({ message, isUncertain }: ArchiveEntry, path: string): void {
    if (message.type === 'tags') for (const tag of message.tags) tags.add(tag)
    else if (message.type === 'times')
      times = { startMs: message.startMs ?? times.startMs, endMs: message.endMs ?? times.endMs }
    else if (message.type === 'status') error = message.error ?? error
    else if (message.type !== 'asset') append(message, path, { filePath: '', isUncertain })
    else {
      const known = message.overwrite ? replaceable.get(message.fileName) : undefined
      const filePath = known ?? `file-${(files += 1)}-${basename(message.fileName).replace(/[^\w.-]/g, '_')}`
      if ('bytes' in message.content) writeFileSync(join(path, filePath), message.content.bytes)
      else copyFileSync(message.content.path, join(path, filePath))
      if (message.overwrite) replaceable.set(message.fileName, filePath)
      if (known === undefined) append(message, path, { filePath, isUncertain })
    }
  }

  function append(message: CometMessage, path: string, more: LineFacts): void {
    const text = toLines(message, nowMs(), more).map((line) => `${JSON.stringify(line)}\n`)
    appendWhole(join(path, 'messages.json'), () => text.join(''))
  }

  return {
    id,
    write(entries) {
      const path = attempt(place)
      if (path === undefined) return
      for (const entry of entries) {
        attempt(() => {
          writeOne(entry, path)
        })
      }
      const isDescribed = entries.some(({ message }) => ['tags', 'times', 'status'].includes(message.type))
      if (isDescribed) {
        attempt(() => {
          describe(path)
        })
      }
    },
    close() {
      const path = attempt(place)
      if (path === undefined) return undefined
      attempt(() => {
        describe(path)
      })
      return pack(path) ?? path
    },
  }
}

/** The zip file; `undefined` where the folder has to do: too large to be packed in memory, no room for both, packages that are gone. */
function pack(folder: string): string | undefined {
  try {
    const names = readdirSync(folder)
    const bytes = names.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)
    if (bytes > largestZipBytes) return undefined
    const { zipSync } = require('fflate') as typeof Fflate
    const zip = `${folder}.zip`
    writeWholeFile(
      zip,
      zipSync(Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name))]))),
    )
    rmSync(folder, { recursive: true, force: true })
    return zip
  } catch {
    return undefined
  }
}
