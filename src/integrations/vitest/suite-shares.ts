import type { FileFigures } from './measured-files.ts'
import type { TestCase, TestParent } from './vitest-parts.ts'

/** What the tests of a suite have used. */
export interface SuiteFigures {
  /** With the names of the suites around it. */
  readonly name: string
  readonly tests: number
  /** Of its tests and their hooks, with those of the suites inside it. */
  readonly seconds: number
  readonly energyJoules: number | undefined
  readonly emissionsGrams: number | undefined
}

/**
 * The suites of a file: each has the part of the file's energy that the time of its tests has of the file's. Vitest tells of suites in batches and late, so
 * their own beginnings and ends cannot be measured by. What loading the file takes is of no suite.
 */
export function suiteShares({ seconds, energyJoules, emissionsGrams, source }: FileFigures): SuiteFigures[] {
  const suites = new Map<string, { name: string; tests: number; milliseconds: number }>()
  let all = 0
  for (const test of source.children.allTests()) {
    const duration = test.diagnostic()?.duration
    if (duration === undefined) continue
    all += duration
    for (const at of suitesAround(test)) {
      const suite = suites.get(at.id) ?? { name: at.fullName, tests: 0, milliseconds: 0 }
      suite.tests += 1
      suite.milliseconds += duration
      suites.set(at.id, suite)
    }
  }
  // Concurrent tests take more time together than their file.
  const time = Math.max(seconds * 1000, all)
  const partOf = (figure: number | undefined, milliseconds: number): number | undefined =>
    figure === undefined ? undefined : time > 0 ? (figure * milliseconds) / time : 0
  return [...suites.values()].map(({ name, tests, milliseconds }) => ({
    name,
    tests,
    seconds: milliseconds / 1000,
    energyJoules: partOf(energyJoules, milliseconds),
    emissionsGrams: partOf(emissionsGrams, milliseconds),
  }))
}

/** The outermost first. */
function suitesAround(test: TestCase): Suite[] {
  const suites: Suite[] = []
  for (let at = test.parent; at.type === 'suite'; at = at.parent) suites.unshift(at)
  return suites
}

type Suite = Extract<TestParent, { readonly type: 'suite' }>
