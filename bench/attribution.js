// Ten thousand interleaved jobs whose CPU time is known: does what they are told add up to the meter, and how far is each job off its share?
// `npm run bench:attribution`
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeReady } from '../scripts/ready.js'
import { median } from './measure.js'

makeReady()
const { EmissionsTracker, ConfigError } = await import('codecarbon')

const jobCount = Number(process.env.JOBS ?? 10_000)
const concurrency = 16
/** Of the package of the fake machine, for each second of CPU time. */
const joulesPerCpuSecond = 20

/** What jobs do: slices of CPU time, with a pause after each. @typedef {{ slices: number, cpuMs: number, pauseMs: number }} Kind */
/** @type {Readonly<Record<string, Kind>>} */
const kinds = {
  short: { slices: 1, cpuMs: 0.3, pauseMs: 0 },
  long: { slices: 5, cpuMs: 0.4, pauseMs: 0 },
  waiting: { slices: 2, cpuMs: 0.3, pauseMs: 10 },
}
const names = Object.keys(kinds)

/** Files of a machine with one counter, which grows with the CPU time of this process and with nothing else. @param {string} folder */
function fakeMachine(folder) {
  const zone = join(folder, 'class/powercap/intel-rapl:0')
  mkdirSync(zone, { recursive: true })
  writeFileSync(join(zone, 'name'), 'package-0\n')
  writeFileSync(join(zone, 'max_energy_range_uj'), '262143328850\n')
  let microjoules = 1e6
  const use = (/** @type {number} */ joules) => {
    microjoules += joules * 1e6
    writeFileSync(join(zone, 'energy_uj'), `${Math.round(microjoules)}\n`)
  }
  use(0)
  return use
}

/** CPU seconds of this process. */
function cpuSeconds() {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

/** Works for some CPU time. @param {number} ms @returns {number} CPU seconds that it took */
function work(ms) {
  const begin = cpuSeconds()
  let used = 0
  while (used < ms / 1000) used = cpuSeconds() - begin
  return used
}

/** @param {number} ms */
const pause = (ms) =>
  new Promise((resolve) => {
    if (ms === 0) setImmediate(resolve)
    else setTimeout(resolve, ms)
  })

/**
 * @typedef {object} Result
 * @property {number} sum how much of the meter's energy jobs and what is unattributed are together
 * @property {number} unattributed the same of what is unattributed alone
 * @property {number} unmeasured jobs whose energy nobody could tell
 * @property {number[]} errors of each other job, relative to its share by CPU time
 * @property {Record<string, number>} byName the same of all jobs of one name together
 */

/** @param {'shared' | 'precise' | 'exact'} mode @param {boolean} isFake @returns {Promise<Result>} */
async function measure(mode, isFake) {
  const folder = mkdtempSync(join(tmpdir(), 'codecarbon-bench-'))
  try {
    /** @type {Map<string, number>} */
    const given = new Map()
    const exporter = {
      name: 'given',
      export: () => undefined,
      onScopes: (/** @type {readonly import('codecarbon').ScopeRecord[]} */ records) => {
        for (const { labels, energyJoules } of records) given.set(labels.job ?? '', energyJoules ?? NaN)
      },
    }
    const use = isFake ? fakeMachine(join(folder, 'sys')) : () => undefined
    const tracker = new EmissionsTracker({
      outputDir: folder,
      saveToFile: false,
      logLevel: 'error',
      countryIsoCode: 'FRA',
      hostReporterGroup: folder,
      measurePowerSecs: 0.5,
      // Exact shares are those of the CPU time of a process.
      trackingMode: mode === 'exact' ? 'process' : 'machine',
      exporters: [exporter],
      ...(isFake ? { sysfsPath: join(folder, 'sys'), forceRamPower: 0.001 } : {}),
      ...(mode === 'precise' ? { attribution: mode } : {}),
    }).start()

    /** @type {number[]} */
    const truth = []
    const job = async (/** @type {number} */ number) => {
      const name = names[number % names.length] ?? ''
      const { slices, cpuMs, pauseMs } = /** @type {Kind} */ (kinds[name])
      const scope = tracker.beginScope({
        name,
        kind: 'job',
        parent: null,
        labels: { job: String(number) },
        ...(mode === 'exact' ? { attribution: mode } : {}),
      })
      await scope.run(async () => {
        let used = 0
        for (let slice = 0; slice < slices; slice += 1) {
          const now = work(cpuMs)
          used += now
          use(now * joulesPerCpuSecond)
          await pause(pauseMs)
        }
        truth[number] = used
        if (mode === 'exact') scope.addCpu(/** @type {any} */ (used))
      })
      scope.end()
    }
    let next = 0
    const runner = async () => {
      while (next < jobCount) await job(next++)
    }
    await Promise.all(Array.from({ length: concurrency }, runner))
    await tracker.stop()

    const total = sumOf(
      (tracker.finalEmissionsData?.components ?? []).map(({ energyJoules }) => energyJoules ?? 0),
    )
    const idle = sumOf(Object.values(tracker.unattributed?.energy ?? {}).map(({ value }) => value))
    const told = truth.flatMap((cpu, number) => {
      const joules = given.get(String(number))
      return joules === undefined || Number.isNaN(joules)
        ? []
        : [{ name: names[number % names.length], cpu, joules }]
    })
    const jobJoules = sumOf(told.map(({ joules }) => joules))
    const perCpuSecond = jobJoules / sumOf(told.map(({ cpu }) => cpu))
    const errorOf = (/** @type {string} */ wanted) => {
      const jobs = told.filter(({ name }) => name === wanted)
      return sumOf(jobs.map(({ joules }) => joules)) / sumOf(jobs.map(({ cpu }) => cpu * perCpuSecond)) - 1
    }
    return {
      sum: (jobJoules + idle) / total,
      unattributed: idle / total,
      unmeasured: jobCount - told.length,
      errors: told.map(({ cpu, joules }) => Math.abs(joules / (cpu * perCpuSecond) - 1)),
      byName: Object.fromEntries(names.map((name) => [name, errorOf(name)])),
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** @param {readonly number[]} values */
const sumOf = (values) => values.reduce((sum, value) => sum + value, 0)

const percent = (/** @type {number} */ ratio, sign = '') =>
  `${sign !== '' && ratio >= 0 ? sign : ''}${(ratio * 100).toFixed(2)} %`

console.log(
  `node ${process.version}; ${jobCount} jobs, ${concurrency} at a time; errors are relative to the share that a job has of the CPU time of all jobs\n`,
)
console.log('meter  attribution  jobs + unattributed  unattributed  a job: median, 90 %     jobs of a name')
for (const [meter, isFake] of /** @type {const} */ ([
  ['fake', true],
  ['real', false],
])) {
  for (const mode of /** @type {const} */ (['shared', 'precise', 'exact'])) {
    try {
      const { sum, unattributed, unmeasured, errors, byName } = await measure(mode, isFake)
      const ninetieth = errors.toSorted((a, b) => a - b)[Math.floor(errors.length * 0.9)] ?? NaN
      const each = Object.entries(byName).map(([name, error]) => `${name} ${percent(error, '+')}`)
      console.log(
        `${meter}   ${mode.padEnd(11)}  ${percent(sum).padStart(19)}  ${percent(unattributed).padStart(12)}  ${percent(median(errors)).padStart(10)}, ${percent(ninetieth).padStart(9)}  ${each.join(', ')}${unmeasured === 0 ? '' : `; ${unmeasured} jobs unmeasured`}`,
      )
      if (!(Math.abs(sum - 1) <= 0.01)) process.exitCode = 1
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      console.log(`${meter}   ${mode.padEnd(11)}  not available: ${error.message}`)
    }
  }
}
