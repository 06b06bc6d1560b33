import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  installForVitest,
  testThatSpends,
  vitestProject,
  type CarbonJson,
} from '../../fixtures/programs/vitest-project.ts'

let installed: ReturnType<typeof installForVitest>
beforeAll(() => {
  installed = installForVitest()
})
afterAll(() => {
  installed.remove()
})

const failing = `test('fails', () => { expect(1).toBe(2) })`
const ab = { 'a.test.js': testThatSpends(10), 'b.test.js': testThatSpends(30) }

const sumOf = ({ files, outside_of_files: { energy_joules: outside } }: CarbonJson): number =>
  files.reduce((sum, { energy_joules: energy }) => sum + (energy ?? 0), outside ?? 0)
const totalOf = ({ run }: CarbonJson): number => (run?.energy_kwh ?? NaN) * 3.6e6

describe('a run of Vitest with the reporter', () => {
  it.each([
    ['forks', false],
    ['threads', false],
    ['vmThreads', false],
    ['forks', true],
    ['threads', true],
  ])('tells what the run and its files have used: %s, in parallel: %s', async (pool, isParallel) => {
    // Two processes that count up one file would lose some of it.
    const files = isParallel ? { ...ab, 'b.test.js': testThatSpends(0) } : ab
    const project = vitestProject(installed.folder, files, {}, { pool, fileParallelism: isParallel })
    const { code, stderr } = await project.run([])
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(/^ +Energy {2}\d/m) as string })
    const carbon = project.carbon()
    const total = isParallel ? 10 : 40
    expect(carbon).toMatchObject({ schema: 1, result: 'passed', budget: null })
    expect(totalOf(carbon)).toBeCloseTo(total, 6)
    expect(sumOf(carbon)).toBeCloseTo(total, 6)
    expect(carbon.files.map(({ file, result }) => [file, result])).toEqual([
      ['a.test.js', 'passed'],
      ['b.test.js', 'passed'],
    ])
    if (!isParallel) expect(carbon.files.map(({ ran_alone: alone }) => alone)).toEqual([true, true])
    for (const { suites, energy_joules: energy, duration_seconds: seconds } of carbon.files) {
      expect(suites.map(({ suite, tests }) => [suite, tests])).toEqual([
        ['outer', 1],
        ['outer > inner', 1],
      ])
      expect(seconds).toBeGreaterThan(0)
      for (const suite of suites) expect(suite.energy_joules).toBeLessThanOrEqual(energy ?? 0)
    }
    expect(project.rows()).toHaveLength(1)
  })

  it('prints a short table on stderr, below a label of its own, without colours where it is no terminal', async () => {
    const project = vitestProject(installed.folder, ab, {}, { fileParallelism: false })
    const { stdout, stderr } = await project.run([])
    expect(stderr).toMatch(
      /^ {5}Energy {2}40\.0 J, measured, the whole machine\n {2}Emissions {2}\d+ µg CO2eq at 44\.18 gCO2eq\/kWh\n Most of it {2}/m,
    )
    expect(stderr).toMatch(/^ {13}while no file ran +\S+ m?J +\S+ %$|while no file ran +0 J/m)
    expect(stderr).not.toContain('\u001B')
    expect(stdout).not.toContain('Energy')
  })

  it('tells of failing tests too, and leaves the exit code to Vitest', async () => {
    const project = vitestProject(installed.folder, { ...ab, 'b.test.js': testThatSpends(30, failing) })
    const { code, stderr } = await project.run([])
    expect(code).toBe(1)
    expect(stderr).toMatch(/^ +Energy {2}/m)
    expect(project.carbon()).toMatchObject({
      result: 'failed',
      files: [{ result: 'passed' }, { result: 'failed' }],
    })
  })

  it('tells of a file that cannot be loaded, and of one without tests', async () => {
    const project = vitestProject(installed.folder, { 'a.test.js': 'throw new Error("no")', 'b.test.js': '' })
    expect((await project.run([])).code).toBe(1)
    expect(project.carbon().files.map(({ result }) => result)).toEqual(['failed', 'failed'])
  })

  it('ends properly where the run bails out', async () => {
    const slow = `import { test } from 'vitest'\ntest('waits', async () => { await new Promise((done) => setTimeout(done, 60_000)) }, 90_000)`
    const project = vitestProject(installed.folder, {
      'a.test.js': testThatSpends(1, failing),
      'b.test.js': slow,
    })
    const { code } = await project.run(['--bail=1', '--pool=threads'])
    expect(code).toBe(1)
    const carbon = project.carbon()
    expect(carbon.files[0]).toMatchObject({ file: 'a.test.js', result: 'failed' })
    expect(sumOf(carbon)).toBeCloseTo(totalOf(carbon), 6)
    expect(project.rows()).toHaveLength(1)
  })

  it.skipIf(process.platform === 'win32').each(['SIGINT', 'SIGTERM'] as const)(
    'tells what is known where it is ended by %s',
    async (signal) => {
      const slow = `import { test } from 'vitest'\nimport { spend } from './spend.js'\ntest('waits', async () => { spend(5); console.log('waiting now'); await new Promise((done) => setTimeout(done, 60_000)) }, 90_000)`
      const project = vitestProject(installed.folder, { 'a.test.js': slow })
      const child = project.start(['run', '--disable-console-intercept', '--pool=threads'])
      await child.printed('waiting now')
      child.process.kill(signal)
      const { stderr } = await child.ended
      expect(stderr).toMatch(/^ +Energy {2}5\.00 J/m)
      expect(project.carbon()).toMatchObject({ result: 'interrupted', files: [{ result: 'unfinished' }] })
      expect(project.rows()).toHaveLength(1)
    },
  )

  it('measures nothing where tests are only listed', async () => {
    const project = vitestProject(installed.folder, ab)
    const { code, stdout, stderr } = await (() => {
      const child = project.start(['list'])
      child.process.stdin.end()
      return child.ended
    })()
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('a.test.js') as string })
    expect(stderr).not.toContain('Energy')
    expect(readdirSync(project.folder)).not.toContain('emissions.csv')
    expect(readdirSync(project.folder)).not.toContain('out')
  })

  it('measures nothing where reports are merged of tests that ran elsewhere', async () => {
    const project = vitestProject(installed.folder, ab)
    await project.run(['--reporter=blob'])
    const merged = await project.run(['--merge-reports'])
    expect(merged.code).toBe(0)
    expect(merged.stderr).not.toContain('Energy')
    expect(project.rows()).toEqual([])
  })

  it('tells the files of each project by the name of the project', async () => {
    const projects = ['one', 'two'].map((name) => ({ test: { name, include: ['a.test.js'] } }))
    const project = vitestProject(installed.folder, { 'a.test.js': testThatSpends(0) }, {}, { projects })
    expect((await project.run([])).code).toBe(0)
    const names = project.carbon().files.map(({ file, project: name }) => `${file} of ${name}`)
    expect(new Set(names)).toEqual(new Set(['a.test.js of one', 'a.test.js of two']))
    expect(names).toHaveLength(2)
  })

  it('makes a run of its own of each rerun in watch mode', async () => {
    const program = `import { startVitest } from 'vitest/node'
import { readFileSync } from 'node:fs'
const idOf = () => JSON.parse(readFileSync('out/carbon.json', 'utf8')).run.run_id
const vitest = await startVitest('test', [], { watch: true }, { server: { watch: null } })
const first = idOf()
const specifications = await vitest.globTestSpecifications()
await vitest.rerunTestSpecifications(specifications)
const second = idOf()
await vitest.close()
console.log('runs ' + new Set([first, second]).size + ', exit code ' + process.exitCode)
process.exit(0)
`
    const budget = { energyJoules: 5 }
    const project = vitestProject(
      installed.folder,
      { 'a.test.js': testThatSpends(10), 'watch.js': program },
      { budget },
    )
    const { code, stdout, stderr } = await project.runProgram('watch.js')
    expect({ code, stderr }).toMatchObject({ code: 0 })
    expect(stdout).toContain('runs 2, exit code undefined')
    expect(stderr.match(/exceeded: energy/g)).toHaveLength(2)
    expect(project.rows()).toHaveLength(2)
  })

  it('says in one sentence what is wrong with an option', async () => {
    const project = vitestProject(installed.folder, ab, { bugdet: {} })
    const { code, stderr } = await project.run([])
    expect(code).toBe(1)
    expect(stderr).toContain('codecarbon/vitest: there is no option bugdet; did you mean budget?')
  })

  it('changes no result where its files cannot be written', async () => {
    const project = vitestProject(installed.folder, ab, { outputFile: 'a.test.js/carbon.json' })
    const { code, stderr } = await project.run([])
    expect(code).toBe(0)
    expect(stderr).toMatch(/^ +Warning {2}.*a\.test\.js\/carbon\.json cannot be written/m)
  })
})

describe('attribution by CPU time', () => {
  const busy = `import { test } from 'vitest'
import { spend } from './spend.js'
test('computes', () => { let sum = 0; for (let n = 0; n < 6e8; n += 1) sum += n; spend(20 + 0 * sum) }, 60_000)`
  const idle = `import { test } from 'vitest'
test('waits', async () => { await new Promise((done) => setTimeout(done, 600)) })`
  const files = { 'busy.test.js': busy, 'idle.test.js': idle }

  it('gives a file that computes more than one that waits at the same time', async () => {
    const project = vitestProject(
      installed.folder,
      files,
      { attribution: 'exact' },
      { pool: 'forks', maxWorkers: 2, setupFiles: ['codecarbon/vitest/cpu-time'] },
    )
    const { code, stderr } = await project.run([])
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('by no file') as string })
    const carbon = project.carbon()
    const [first, second] = carbon.files
    expect([first?.attribution, second?.attribution]).toEqual(['exact', 'exact'])
    expect(first?.cpu_seconds).toBeGreaterThan(second?.cpu_seconds ?? Infinity)
    expect(first?.energy_joules).toBeGreaterThan(second?.energy_joules ?? Infinity)
    expect(sumOf(carbon)).toBeCloseTo(totalOf(carbon), 6)
  })

  it('is unmeasured, and says what to do, where no worker notes it', async () => {
    const project = vitestProject(installed.folder, files, { attribution: 'exact' })
    const { code, stderr } = await project.run([])
    expect(code).toBe(0)
    expect(stderr).toMatch(
      /^ +Warning {2}the CPU time of 2 of 2 files was not noted: name codecarbon\/vitest\/cpu-time among setupFiles/m,
    )
    expect(project.carbon().files.map(({ energy_joules: energy }) => energy)).toEqual([null, null])
  })
})

describe('a budget', () => {
  it('that is exceeded fails the run, and says by how much', async () => {
    const project = vitestProject(installed.folder, ab, {
      budget: { energyJoules: 32, perFile: { energyJoules: 1000 } },
    })
    const { code, stdout, stderr } = await project.run(['--no-file-parallelism'])
    expect(code).toBe(1)
    expect(stdout).toMatch(/Tests.*2 passed/)
    expect(stderr).toMatch(/^ +Budget {2}exceeded: energy 40 J: 8 J \(25 %\) above the 32 J allowed$/m)
    expect(project.carbon().budget).toEqual({
      uses: 'low',
      exceeded: [
        {
          file: null,
          figure: 'energy_joules',
          limit: 32,
          value: expect.closeTo(40, 6) as number,
          low: expect.closeTo(40, 6) as number,
          high: expect.closeTo(40, 6) as number,
        },
      ],
      doubtful: [],
      unknown: [],
    })
  })

  it('that is kept leaves the run as it is', async () => {
    const project = vitestProject(installed.folder, ab, { budget: { energyJoules: 41, emissionsGrams: 1 } })
    const { code, stderr } = await project.run(['--no-file-parallelism'])
    expect(code).toBe(0)
    expect(stderr).not.toContain('Budget')
  })

  it('is neither kept nor exceeded where nothing can be measured', async () => {
    const project = vitestProject(installed.folder, ab, {
      budget: { energyJoules: 0, perFile: { emissionsGrams: 0 } },
    })
    const nowhere = { CODECARBON_TRACKING_MODE: 'process', CODECARBON_PROCFS_PATH: '/nowhere' }
    const { code, stderr } = await project.run([], nowhere)
    expect(code).toBe(0)
    expect(stderr).toMatch(/^ +Energy {2}unmeasured/m)
    expect(stderr).toMatch(/^ +Budget {2}not checked of the energy of the run: nothing could be measured$/m)
    expect(project.carbon().files.map(({ energy_joules: energy }) => energy)).toEqual([null, null])
  })
})

describe('the summary of a job of GitHub Actions', () => {
  it('has the run and its files, once, though the configuration asks for it as well', async () => {
    const project = vitestProject(
      installed.folder,
      ab,
      { budget: { energyJoules: 500 } },
      { fileParallelism: false },
    )
    const path = join(project.folder, 'summary.md')
    await project.run([], { GITHUB_STEP_SUMMARY: path, CODECARBON_OUTPUT_METHODS: 'csv,github' })
    const text = readFileSync(path, 'utf8')
    expect(text.match(/^### .*$/gm)).toEqual(['### CodeCarbon: tests'])
    expect(text).toMatch(/^\| b\.test\.js \| \S+ J \| \S+ % \| \S+ µg \| .+ \|$/m)
    expect(text).toContain('\n2 test files, the tests passed\n')
    expect(text).toContain('\nWithin the budget\n')
  })

  it('is not written where the option turns it off', async () => {
    const project = vitestProject(installed.folder, ab, { githubSummary: false })
    const path = join(project.folder, 'summary.md')
    await project.run([], { GITHUB_STEP_SUMMARY: path })
    expect(existsSync(path)).toBe(false)
  })
})
