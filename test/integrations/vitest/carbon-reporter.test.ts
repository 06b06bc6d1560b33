import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { Reporter } from 'vitest/node'
import byDefault, {
  CarbonReporter,
  type CarbonReporterOptions,
  type VitestContext,
} from '../../../src/integrations/vitest/vitest.ts'
import { fakeMachine, type FakeMachine } from '../../tracker/fake-machine.ts'
import { sourceOf } from './figures.ts'

let machine: FakeMachine
let printed: string[]
let vitest: VitestContext

beforeEach((context) => {
  machine = fakeMachine()
  printed = []
  const logger = { error: (...parts: unknown[]) => void printed.push(parts.join(' ')) }
  vitest = { version: '4.1.12', config: { root: '/project', watch: false }, logger }
  vi.stubEnv('GITHUB_STEP_SUMMARY', '')
  const { exitCode } = process
  context.onTestFinished(() => {
    vi.unstubAllEnvs()
    process.exitCode = exitCode
  })
})

const reporterOf = (options: CarbonReporterOptions = {}): CarbonReporter => {
  const reporter = new CarbonReporter({ tracking: machine.options, ...options })
  reporter.onInit(vitest)
  return reporter
}

describe('the reporter', () => {
  it('is one for Vitest: by its types, and by the default export that a path stands for', () => {
    const reporter: Reporter = new CarbonReporter({ tracking: machine.options })
    expect(reporter).toBeInstanceOf(byDefault)
  })

  it('opens nothing and writes nothing until tests begin', async () => {
    const reporter = reporterOf()
    reporter.onTestModuleQueued(sourceOf('a.test.ts'))
    reporter.onTestModuleEnd(sourceOf('a.test.ts'))
    await reporter.onTestRunEnd([], [], 'passed')
    expect(printed).toEqual([])
  })

  it('says of files that ran at the same time that they share', async () => {
    const outputFile = join(machine.folder, 'carbon.json')
    const reporter = reporterOf({ outputFile })
    reporter.onTestRunStart()
    const [a, b, c] = ['a.test.ts', 'b.test.ts', 'c.test.ts'].map((path) => sourceOf(path))
    reporter.onTestModuleQueued(a!)
    machine.use(4)
    reporter.onTestModuleQueued(b!)
    reporter.onTestModuleStart(b!)
    machine.use(6)
    reporter.onTestModuleEnd(a!)
    reporter.onTestModuleEnd(b!)
    reporter.onTestModuleQueued(c!)
    reporter.onTestModuleEnd(c!)
    await reporter.onTestRunEnd([], [], 'passed')
    const { files, outside_of_files: outside } = JSON.parse(readFileSync(outputFile, 'utf8')) as {
      files: { file: string; ran_alone: boolean; energy_joules: number }[]
      outside_of_files: { energy_joules: number }
    }
    expect(files.map(({ file, ran_alone: alone }) => [file, alone])).toEqual([
      ['a.test.ts', false],
      ['b.test.ts', false],
      ['c.test.ts', true],
    ])
    const sum = files.reduce((total, { energy_joules: energy }) => total + energy, outside.energy_joules)
    expect(sum).toBeCloseTo(10, 6)
    expect(printed.join('')).toContain('files that ran at the same time share it in equal parts')
  })

  it('ends a run that Vitest never ended when the next one begins', async () => {
    const reporter = reporterOf()
    reporter.onTestRunStart()
    reporter.onTestRunStart()
    await reporter.onTestRunEnd([], [], 'passed')
    expect(printed).toHaveLength(1)
    expect(process.listeners('exit').filter(({ name }) => name === 'atExit')).toEqual([])
  })

  it('fails a run above its budget by the exit code, once, and not in watch mode', async () => {
    process.exitCode = undefined
    for (const watch of [true, false]) {
      vitest = { ...vitest, config: { ...vitest.config, watch } }
      const reporter = reporterOf({ budget: { energyJoules: 1 } })
      reporter.onTestRunStart()
      machine.use(4)
      await reporter.onTestRunEnd([], [], 'passed')
      expect(printed.at(-1)).toMatch(/^ +Budget {2}exceeded: energy 4 J: 3 J \(300 %\) above/m)
      expect(process.exitCode).toBe(watch ? undefined : 1)
    }
  })

  it('never throws into Vitest, warns once, and is off after some failures', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    const reporter = reporterOf()
    reporter.onTestRunStart()
    for (let time = 0; time < 5; time += 1) reporter.onTestModuleQueued(null as never)
    await reporter.onTestRunEnd([], [], 'passed')
    expect(warn).toHaveBeenCalledTimes(1)
    expect(warn).toHaveBeenCalledWith(expect.stringMatching(/^codecarbon\/vitest: /), 'CodeCarbonWarning')
    warn.mockRestore()
  })
})

describe('wrong options', () => {
  it.each([
    [{ budgets: {} }, 'codecarbon/vitest: there is no option budgets; did you mean budget?'],
    [
      { budget: { energyJoule: 1 } },
      'codecarbon/vitest: there is no option budget.energyJoule; did you mean budget.energyJoules?',
    ],
    [
      { budget: { perFile: { energyJoules: -1 } } },
      'codecarbon/vitest: option budget.perFile.energyJoules: expected a number of at least 0, got -1',
    ],
    [
      { budget: { emissionsGrams: '5' } },
      'codecarbon/vitest: option budget.emissionsGrams: expected a number of at least 0, got "5"',
    ],
    [{ budget: 5 }, 'codecarbon/vitest: option budget: expected an object, got 5'],
    [
      { budgetUses: 'mean' },
      'codecarbon/vitest: option budgetUses: expected one of low, value, high, got "mean"',
    ],
    [
      { attribution: 'precise' },
      'codecarbon/vitest: option attribution: expected one of shared, exact, got "precise"',
    ],
    [{ outputFile: '' }, 'codecarbon/vitest: option outputFile: expected the path of a file, got ""'],
    [{ githubSummary: 'yes' }, 'codecarbon/vitest: option githubSummary: expected true or false, got "yes"'],
    [{ tracking: { measurePowerSec: 1 } }, 'measurePowerSec'],
    [null, 'codecarbon/vitest: option options: expected an object, got null'],
  ])('are told at once (%#)', (options, message) => {
    expect(() => new CarbonReporter(options as never)).toThrow(message)
  })
})
