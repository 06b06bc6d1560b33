import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeEach, describe, expect, it } from 'vitest'
import { createGithubSummary } from '../../src/exporters/github/github-summary.ts'
import { mostBytes } from '../../src/exporters/github/step-summary.ts'
import { joules, seconds } from '../../src/core/units.ts'
import { addUsage, noUsage, type Usage } from '../../src/core/usage.ts'
import { itIsAnExporter } from '../contract/exporter.ts'
import { accounted, recordOf, reportOf, taskOf, unmeasuredRecord } from '../fixtures/csv/records.ts'
import { temporaryFolder } from '../fixtures/programs/temporary-folder.ts'
import { viewOf } from '../fixtures/run-view.ts'

let path: string

beforeEach(() => {
  path = join(temporaryFolder(), 'step_summary')
  writeFileSync(path, '')
})

const summaryOf = (
  options: Partial<Parameters<typeof createGithubSummary>[0]> = {},
): ReturnType<typeof createGithubSummary> =>
  createGithubSummary({ path, comparisons: () => ['180 m in an average US passenger car'], ...options })
const written = (): string => readFileSync(path, 'utf8')

itIsAnExporter('the summary of a job', () => ({
  exporter: summaryOf(),
  delivered: () => [...written().matchAll(/, run (run-\d)/g)].map(([, id = '']) => id),
  deliveredTasks: () => [...written().matchAll(/^\| (\w+) \| 1 \|/gm)].map(([, name = '']) => name),
  isAtEndOnly: true,
}))

/** A process tree that has used this much. */
function usageOf(value: number): Usage {
  const energy = joules(value)
  const use = {
    value: energy,
    low: energy,
    high: energy,
    told: seconds(1),
    emissions: noUsage.emissions.value,
    methods: { measured: energy, integrated: joules(0), estimated: joules(0) },
  }
  return addUsage(noUsage, { ...noUsage, energy: { cpu: use } })
}

describe('a section', () => {
  it('tells the run as GitHub shows it', async () => {
    const problem = {
      code: 'ERR_PROBE_READ',
      subject: 'package-0',
      message: 'package-0: EIO',
      count: 2,
      gap: seconds(1.9),
    } as const
    const data = recordOf({ ...accounted, pue: 1.1, problems: [problem] })
    const exporter = summaryOf({ documentation: 'https://example.org/docs' })
    await exporter.open?.(() => ({ ...viewOf(data), process: usageOf(900) }))
    await exporter.export(
      reportOf('live', data, [taskOf('epoch', { energyConsumed: 0.0001 }), taskOf('load|all')]),
    )
    await exporter.export(reportOf('stop', data, [taskOf('epoch', { energyConsumed: 0.0003 })]))
    await expect(written()).toMatchFileSnapshot(
      fileURLToPath(new URL('../golden/github-summary.md', import.meta.url)),
    )
  })

  it('has the jobs and requests that used the most', async () => {
    const scope = {
      name: 'GET /a|b',
      kind: 'request',
      isNested: false,
      count: 3,
      outcomes: { ok: 3 },
      durationSeconds: 1.5,
      energyJoules: 12,
      emissionsGrams: 0.0005,
    } as const
    const scopes = [
      scope,
      ...Array.from({ length: 11 }, () => ({
        ...scope,
        kind: 'job' as const,
        isNested: true,
        energyJoules: undefined,
      })),
    ]
    await summaryOf().export(reportOf('stop', recordOf({ scopes })))
    expect(written()).toContain(String.raw`| GET /a\|b | request | 3 | 12.0 J | 500 µg | 1.50 s |`)
    expect(written()).toContain(String.raw`| GET /a\|b | job, within others | 3 | unmeasured |`)
    expect(written()).toContain('and 2 other names')
  })

  it('says that nothing could be measured, and no zero', async () => {
    await summaryOf({ comparisons: () => [] }).export(reportOf('stop', unmeasuredRecord()))
    expect(written()).toMatch(/^### CodeCarbon: digits\n\n\*\*Energy unmeasured\*\* in 2 min 00 s: /)
    expect(written()).not.toMatch(/\b0 (?:J|Wh|g)\b/)
  })

  it('shows names to the letter: no column, no markup, no HTML of theirs', async () => {
    const name = 'a|b <img src=x onerror=alert(1)> **c** `d` [e](https://f.example)\n# g'
    await summaryOf().export(reportOf('stop', recordOf({ projectName: name }), [taskOf(name)]))
    const [title = ''] = written().split('\n')
    expect(title).toBe(
      String.raw`### CodeCarbon: a\|b &lt;img src=x onerror=alert(1)&gt; \*\*c\*\* \`d\` \[e\](https&#58;//f.example) \# g`,
    )
    const row = written()
      .split('\n')
      .find((line) => line.includes('| 1 |'))
    expect(row?.replaceAll(String.raw`\|`, '').split('|')).toHaveLength(7)
  })

  it('has the ten names of tasks that used the most, and counts the others', async () => {
    const tasks = Array.from({ length: 1200 }, (_, index) =>
      taskOf(`task ${index}`, { energyConsumed: index }),
    )
    await summaryOf().export(reportOf('stop', recordOf(), tasks))
    expect(written().match(/^\| task .*$/gm)).toHaveLength(10)
    expect(written()).toContain('| task 999 |')
    expect(written()).toContain('and 1190 tasks of other names')
    expect(written().length).toBeLessThan(4000)
  })
})

describe('the file', () => {
  it('keeps what others have written, with an empty line between', async () => {
    writeFileSync(path, '## Tests\nall passed')
    await summaryOf().export(reportOf('stop'))
    await summaryOf().export(reportOf('stop'))
    expect(written()).toMatch(
      /^## Tests\nall passed\n\n### CodeCarbon: digits\n[^]*<\/sub>\n\n### CodeCarbon: digits\n/,
    )
  })

  it('stays as it is where it would be longer than GitHub takes', async () => {
    const others = `${'x'.repeat(mostBytes - 100)}\n`
    writeFileSync(path, others)
    await expect(async () => {
      await summaryOf().export(reportOf('stop'))
    }).rejects.toMatchObject({
      code: 'ERR_EXPORT_FAILED',
      message: expect.stringContaining('1 MiB') as string,
    })
    expect(written()).toBe(others)
  })

  it('is an error with its name where it cannot be written', async () => {
    mkdirSync(`${path}.d`)
    await expect(async () => {
      await summaryOf({ path: `${path}.d` }).export(reportOf('stop'))
    }).rejects.toMatchObject({
      code: 'ERR_EXPORT_FAILED',
      message: expect.stringContaining(`${path}.d`) as string,
    })
  })
})
