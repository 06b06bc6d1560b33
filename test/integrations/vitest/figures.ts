import type { FileFigures } from '../../../src/integrations/vitest/measured-files.ts'
import type { TestRun } from '../../../src/integrations/vitest/test-run.ts'
import type { TestCase, TestFile } from '../../../src/integrations/vitest/vitest-parts.ts'
import { recordOf } from '../../fixtures/csv/records.ts'

/** A file as Vitest tells of it. */
export const sourceOf = (path: string, tests: readonly TestCase[] = []): TestFile => ({
  id: path,
  moduleId: `/project/${path}`,
  project: { name: '' },
  children: { allTests: () => tests },
  state: () => 'passed',
})

/** A file that has used 36 J in two seconds. */
export const fileOf = (file: string, changes: Partial<FileFigures> = {}): FileFigures => ({
  file,
  project: '',
  result: 'passed',
  seconds: 2,
  energyJoules: 36,
  emissionsGrams: 0.00044,
  ranAlone: true,
  cpuSeconds: undefined,
  source: sourceOf(file),
  ...changes,
})

/** A run of 1 Wh, 3600 J, with an interval of 3240 to 3960 J. */
export const runOf = (changes: Partial<TestRun> = {}): TestRun => ({
  vitestVersion: '4.1.12',
  reason: 'passed',
  startedAtMs: Date.UTC(2026, 7, 8, 12),
  data: recordOf({ projectName: 'codecarbon' }),
  csvPath: '/project/emissions.csv',
  files: [
    fileOf('a.test.ts'),
    fileOf('b.test.ts', { energyJoules: 360, emissionsGrams: 0.0044, result: 'failed' }),
  ],
  attribution: 'shared',
  budget: undefined,
  problems: [],
  ...changes,
})
