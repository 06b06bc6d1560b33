import { relative, sep } from 'node:path'
import { seconds } from '../../core/units.ts'
import type { ScopeSource } from '../../scopes/process-scopes.ts'
import type { ScopeRecord, WorkScope } from '../../scopes/work-scope.ts'
import { notedCpuTime } from './cpu-note.ts'
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
  /** No other file ran at the same time. */
  readonly ranAlone: boolean
  /** In its worker; `undefined` where nobody has noted it. */
  readonly cpuSeconds: number | undefined
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
  cpuSeconds: number | undefined
  record: ScopeRecord | undefined
}

/** How it is found out what a file has used. */
export type FileAttribution = 'shared' | 'exact'

const outcomes: Readonly<Record<string, string>> = { passed: 'ok', failed: 'error', skipped: 'skipped' }

/**
 * The files of one run of tests, each a scope from when a worker begins to load it to the end of its last test. Files that run at the same time share what
 * is used in that time, or have what their CPU time is worth, where their workers note it. What the starting of workers takes is of no file.
 */
export class MeasuredFiles {
  readonly #scopes: ScopeSource
  readonly #root: string
  readonly #attribution: FileAttribution
  readonly #running = new Map<string, Tracked>()
  readonly #all: Tracked[] = []

  constructor(scopes: ScopeSource, root: string, attribution: FileAttribution) {
    this.#scopes = scopes
    this.#root = root
    this.#attribution = attribution
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
      attribution: this.#attribution,
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
      cpuSeconds: undefined,
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
    await Promise.all(this.#all.map((file) => this.#settle(file)))
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
      cpuSeconds: file.cpuSeconds,
      source: file.source,
    }))
  }

  #end(file: Tracked): void {
    const state = file.source.state()
    this.#running.delete(file.source.id)
    file.endedMs = performance.now()
    const outcome = outcomes[state]
    if (outcome !== undefined) file.result = state
    file.cpuSeconds = notedCpuTime(file.source.meta?.())
    if (this.#attribution === 'exact' && file.cpuSeconds !== undefined)
      file.scope.addCpu(seconds(file.cpuSeconds))
    file.scope.end(outcome ?? 'aborted')
    // To ask at once has the hardware read soon. CPU time is told late, and paid for at the end at the latest.
    if (this.#attribution === 'shared') void this.#settle(file)
  }

  async #settle(file: Tracked): Promise<void> {
    file.record = await file.scope.settled()
  }

  #pathOf({ moduleId }: TestFile): string {
    return relative(this.#root, moduleId).replaceAll(sep, '/')
  }
}
