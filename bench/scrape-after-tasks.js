// A scrape of the endpoint for Prometheus over two packages and two memory domains: after 100 000 tasks of three names, against after none.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createPrometheusExporter } from '../build/exporters/prometheus/prometheus-exporter.js'
import { EmissionsTracker } from '../build/index.js'
import { median } from './measure.js'

const tasks = 100_000
const names = 3
const rounds = 60
const scrapes = 20

/** @returns {Promise<import('./measure.js').Row[]>} */
export async function benchScrapeAfterTasks() {
  const folder = mkdtempSync(join(tmpdir(), 'codecarbon-bench-'))
  try {
    const sysfsPath = makeCounters(join(folder, 'sys'))
    const [busy, idle] = [begin(sysfsPath), begin(sysfsPath)]
    await busy.prometheus.metrics()
    for (let task = 0; task < tasks; task += 1) busy.tracker.startTask(`task ${task % names}`).stop()
    // What ended since the last look is shown, and counted, with the next one.
    await busy.prometheus.metrics()
    /** @type {number[]} */
    const after = []
    /** @type {number[]} */
    const before = []
    for (let round = 0; round < rounds; round += 1) {
      before.push(await timeOf(idle.prometheus))
      after.push(await timeOf(busy.prometheus))
    }
    const { body } = await idle.prometheus.metrics()
    await Promise.all([busy.tracker.stop(), idle.tracker.stop()])
    const series = body.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length
    return [
      {
        what: `scrape of ${series} series after ${tasks} tasks; after none`,
        ours: `${(median(after) * 1000).toFixed(0)} us`,
        base: `${(median(before) * 1000).toFixed(0)} us`,
        result: `${(median(after) / median(before)).toFixed(2)}x`,
        goal: '<= 1 ms without tasks',
      },
    ]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** @param {string} sysfsPath */
function begin(sysfsPath) {
  const prometheus = createPrometheusExporter()
  const tracker = new EmissionsTracker({
    sysfsPath,
    outputMethods: [],
    countryIsoCode: 'FRA',
    logLevel: 'error',
    hostReporter: 'always',
    exporters: [prometheus],
  }).start()
  return { tracker, prometheus }
}

/** @param {ReturnType<typeof createPrometheusExporter>} prometheus */
async function timeOf(prometheus) {
  const begun = performance.now()
  for (let scrape = 0; scrape < scrapes; scrape += 1) await prometheus.metrics()
  return (performance.now() - begun) / scrapes
}

/** @param {string} sysfsPath */
function makeCounters(sysfsPath) {
  const zones = {
    'intel-rapl:0': 'package-0',
    'intel-rapl:0:0': 'dram',
    'intel-rapl:1': 'package-1',
    'intel-rapl:1:0': 'dram',
  }
  for (const [zone, name] of Object.entries(zones)) {
    const folder = join(sysfsPath, 'class/powercap', zone)
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'name'), `${name}\n`)
    writeFileSync(join(folder, 'max_energy_range_uj'), '262143328850\n')
    writeFileSync(join(folder, 'energy_uj'), '123456789012\n')
  }
  return sysfsPath
}
