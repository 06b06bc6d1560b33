/** What is used of Vitest: only what its reporters are given publicly (https://vitest.dev/api/advanced/reporters). */
export interface VitestContext {
  readonly version: string
  readonly config: {
    readonly root: string
    readonly watch: boolean
    /** Folder of reports that are merged, where no test runs. */
    readonly mergeReports?: string | undefined
  }
  readonly logger: { error(...parts: unknown[]): void }
}

/** A test file in one project. */
export interface TestFile {
  /** The same file has another one in another project. */
  readonly id: string
  /** Its path. */
  readonly moduleId: string
  readonly project: { readonly name: string }
  readonly children: { allTests(): Iterable<TestCase> }
  /** What the worker has noted. */
  meta?(): object
  /** `passed`, `failed`, `skipped`; `pending` or `queued` where it was not run to its end. */
  state(): string
}

/** A test that was run, or not. */
export interface TestCase {
  readonly parent: TestParent
  /** `undefined` where it was not run. Milliseconds. */
  diagnostic(): { readonly duration: number } | undefined
}

/** A suite, or the file around it. */
export type TestParent =
  | { readonly type: 'module' }
  | {
      readonly type: 'suite'
      readonly id: string
      /** With the names of the suites around it. */
      readonly fullName: string
      readonly parent: TestParent
    }

/** How a run of tests ended. */
export type RunReason = 'passed' | 'failed' | 'interrupted'
