import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { checkBudget } from '../../../src/integrations/vitest/budget.ts'
import { toTestRunJson } from '../../../src/integrations/vitest/run-json.ts'
import { renderRunMarkdown } from '../../../src/integrations/vitest/run-markdown.ts'
import { renderRunTable } from '../../../src/integrations/vitest/run-table.ts'
import { suiteShares } from '../../../src/integrations/vitest/suite-shares.ts'
import type { TestCase, TestParent } from '../../../src/integrations/vitest/vitest-parts.ts'
import { recordOf } from '../../fixtures/csv/records.ts'
import { fileOf, runOf, sourceOf } from './figures.ts'

const golden = (name: string): string => fileURLToPath(new URL(`../../golden/${name}`, import.meta.url))

const suite = (fullName: string, parent: TestParent = { type: 'module' }): TestParent => ({
  type: 'suite',
  id: fullName,
  fullName,
  parent,
})
const test = (duration: number | undefined, parent: TestParent): TestCase => ({
  parent,
  diagnostic: () => (duration === undefined ? undefined : { duration }),
})
const sum = suite('sum')
const tests = [test(1000, suite('sum > large', sum)), test(500, sum), test(undefined, sum)]
const withSuites = fileOf('a.test.ts', { source: sourceOf('a.test.ts', tests) })

/** With everything that there is to tell. */
const full = (() => {
  const files = [
    withSuites,
    fileOf('deep/b.test.ts', {
      energyJoules: 360,
      emissionsGrams: 0.0044,
      result: 'failed',
      ranAlone: false,
    }),
    fileOf('c|d.test.ts', { project: 'two', energyJoules: undefined, emissionsGrams: undefined }),
  ]
  const data = recordOf({ projectName: 'codecarbon' })
  const budget = checkBudget(
    { energyJoules: 3000, emissionsGrams: 0.043, perFile: { energyJoules: 100 } },
    'low',
    data,
    files,
  )
  return runOf({ files, data, budget, reason: 'failed', problems: ['gpu: no library of NVIDIA'] })
})()

describe('a run of tests', () => {
  it('is a table for the terminal', async () => {
    await expect(renderRunTable(full, false)).toMatchFileSnapshot(golden('vitest-table.txt'))
  })

  it('is JSON of schema 1', async () => {
    await expect(`${JSON.stringify(toTestRunJson(full), undefined, 2)}\n`).toMatchFileSnapshot(
      golden('vitest.json'),
    )
  })

  it('is a section of the summary of a job', async () => {
    const parts = { comparisons: () => ['180 m in an average US passenger car'], documentation: undefined }
    await expect(renderRunMarkdown(full, parts)).toMatchFileSnapshot(golden('vitest-summary.md'))
  })
})

describe('the table', () => {
  it('stays small for thousands of files', () => {
    const files = Array.from({ length: 5000 }, (_, index) =>
      fileOf(`test/${'folder/'.repeat(20)}${index}.test.ts`, { energyJoules: index / 5000 }),
    )
    const data = recordOf()
    const budget = checkBudget({ perFile: { energyJoules: 0 } }, 'low', data, files)
    const problems = Array.from({ length: 50 }, (_, index) => `problem ${index}`)
    const table = renderRunTable(runOf({ files, data, budget, problems }), false)
    const lines = table.split('\n')
    expect(lines.length).toBeLessThan(32)
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(300)
    expect(table).toContain('4990 other files')
    expect(table).toContain('and 45 more')
    const markdown = renderRunMarkdown(runOf({ files, data, budget, problems }), {
      comparisons: () => [],
      documentation: undefined,
    })
    expect(markdown.length).toBeLessThan(6000)
  })

  it('has colours where they are wanted, and none that others have put into names', () => {
    expect(renderRunTable(full, true)).toContain('\u001B[31m')
    const named = runOf({ files: [fileOf('\u001B[31mred.test.ts')] })
    expect(renderRunTable(named, false)).not.toContain('\u001B')
  })

  it('says that a run is unmeasured, and no zero', () => {
    expect(renderRunTable(runOf({ data: undefined }), false)).toBe(
      '\n     Energy  unmeasured: nothing could tell it\n',
    )
  })
})

describe('suites', () => {
  it('have the part of the energy of their file that their tests have of its time', () => {
    // 36 J in 2 s, of which the tests took 1.5 s.
    expect(suiteShares(withSuites)).toEqual([
      {
        name: 'sum',
        tests: 2,
        seconds: 1.5,
        energyJoules: 27,
        emissionsGrams: expect.closeTo(0.00033, 9) as number,
      },
      {
        name: 'sum > large',
        tests: 1,
        seconds: 1,
        energyJoules: 18,
        emissionsGrams: expect.closeTo(0.00022, 9) as number,
      },
    ])
  })

  it('of concurrent tests share no more than there is', () => {
    const concurrent = [test(2000, suite('a')), test(2000, suite('b'))]
    const shares = suiteShares(fileOf('a.test.ts', { source: sourceOf('a.test.ts', concurrent) }))
    expect(shares.map(({ energyJoules }) => energyJoules)).toEqual([18, 18])
  })

  it('of a file that is unmeasured are unmeasured', () => {
    expect(suiteShares({ ...withSuites, energyJoules: undefined })[0]?.energyJoules).toBeUndefined()
  })
})
