import { relative, sep } from 'node:path'
import type { ScopeSource } from '../../scopes/process-scopes.ts'
import type { ScopeRecord, WorkScope } from '../../scopes/work-scope.ts'
import type { TestFile } from './vitest-parts.ts'

/** What a test file has used. */
export interface FileFigures {
  /** Path from Vitest's root, with slashes. */
  readonly file: string
  /** Project of Vitest; empty where there is one only. */
  readonly project: string
  /** `passed`, `failed`, `skipped`, or `unfinished`. */
  readonly result: string
  readonly seconds: number
  /** With PUE; `undefined` where nobody could tell. */
  readonly energyJoules: number | undefined
  readonly emissionsGrams: number | undefined
  /** No other file ran at the same time: what was used in its time is all its own. */
  readonly ranAlone: boolean
  /** The file as Vitest knows it. */
  readonly source: TestFile
}

/** A file from its beginning on. */
interface Tracked {
  /** As Vitest told of it last: what it tells of first knows no tests yet. */
  source: TestFile
  readonly scope: WorkScope
  readonly beganMs: number
  endedMs: number | undefined
  ranAlone: boolean
  result: string
  record: ScopeRecord | undefined
}

const outcomes: Readonly<Record<string, string>> = { passed: 'ok', failed: 'error', skipped: 'skipped' }

/**
 * The files of one run of tests, each a scope from when a worker begins to load it to the end of its last test. Files that run at the same time share what
 * is used in that time. What the starting of workers takes is of no file.
 */
export class MeasuredFiles {
  readonly #scopes: ScopeSource
  readonly #root: string
  readonly #running = new Map<string, Tracked>()
  readonly #all: Tracked[] = []
  readonly #settling: Promise<void>[] = []

  constructor(scopes: ScopeSource, root: string) {
    this.#scopes = scopes
    this.#root = root
  }

  /** Begins a file, or is told more of one that has begun. */
  begin(source: TestFile): void {
    const running = this.#running.get(source.id)
    if (running !== undefined) {
      running.source = source
      return
    }
    const { name: project } = source.project
    const scope = this.#scopes.beginScope({
      name: this.#pathOf(source),
      kind: 'test',
      // The main thread works for all files.
      attribution: 'shared',
      parent: null,
      labels: project === '' ? {} : { project },
    })
    const ranAlone = this.#running.size === 0
    for (const other of this.#running.values()) other.ranAlone = false
    const file: Tracked = {
      source,
      scope,
      beganMs: performance.now(),
      endedMs: undefined,
      ranAlone,
      result: 'unfinished',
      record: undefined,
    }
    this.#running.set(source.id, file)
    this.#all.push(file)
  }

  end(source: TestFile): void {
    const file = this.#running.get(source.id)
    if (file === undefined) return
    file.source = source
    this.#end(file)
  }

  /** Ends those that still run, as an interrupted run leaves them. */
  endAll(): void {
    for (const file of this.#running.values()) this.#end(file)
  }

  /** Resolves when it is known what each has used. Before it, end the run, with which the last reading comes. */
  async settled(): Promise<void> {
    await Promise.all(this.#settling)
  }

  /** The figures as far as they are known. */
  figures(): FileFigures[] {
    return this.#all.map((file) => ({
      file: this.#pathOf(file.source),
      project: file.source.project.name,
      result: file.result,
      seconds: ((file.endedMs ?? performance.now()) - file.beganMs) / 1000,
      energyJoules: file.record?.energyJoules,
      emissionsGrams: file.record?.emissionsGrams,
      ranAlone: file.ranAlone,
      source: file.source,
    }))
  }

  #end(file: Tracked): void {
    const state = file.source.state()
    this.#running.delete(file.source.id)
    file.endedMs = performance.now()
    const outcome = outcomes[state]
    if (outcome !== undefined) file.result = state
    file.scope.end(outcome ?? 'aborted')
    this.#settling.push(
      file.scope.settled().then((record) => {
        file.record = record
      }),
    )
  }

  #pathOf({ moduleId }: TestFile): string {
    return relative(this.#root, moduleId).replaceAll(sep, '/')
  }
}
