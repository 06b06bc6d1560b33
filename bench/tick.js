// One tick of the meter over two packages and two memory domains, against nothing but `fs.readSync` of the same four files.
import { mkdirSync, mkdtempSync, openSync, closeSync, readSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createMeter } from '../build/core/meter.js'
import { systemClock } from '../build/core/clock.js'
import { seconds } from '../build/core/units.js'
import { createRaplProbe } from '../build/probes/rapl.js'
import { openProcfsLoad } from '../build/probes/linux/procfs-load.js'
import { compare } from './measure.js'

const names = { 'intel-rapl:0': 'package-0', 'intel-rapl:1': 'package-1' }

/** @returns {Promise<import('./measure.js').Row[]>} */
export async function benchTick() {
  const sysfsPath = mkdtempSync(join(tmpdir(), 'codecarbon-bench-'))
  try {
    const files = makeCounters(sysfsPath)
    const descriptors = files.map((file) => openSync(file, 'r'))
    const buffer = Buffer.alloc(64)
    const bare = () => {
      for (const descriptor of descriptors) readSync(descriptor, buffer, 0, 64, 0)
    }
    const options = { clock: systemClock, interval: seconds(3600), gramsPerKwh: () => 44 }
    const meter = createMeter({ ...options, probes: [createRaplProbe({ sysfsPath })] })
    const tick = compare(() => void meter.read(), bare)
    meter.close()
    /** @type {import('./measure.js').Row[]} */
    const rows = [row('tick: 2 packages, 2 memory domains; bare readSync', tick, '<= 3x')]
    if (process.platform === 'linux') {
      const load = openProcfsLoad()
      const whole = createMeter({ ...options, probes: [createRaplProbe({ sysfsPath })], load })
      rows.push(
        row(
          'the same with the load of the machine',
          compare(() => void whole.read(), bare),
          '(none)',
        ),
      )
      whole.close()
    }
    for (const descriptor of descriptors) closeSync(descriptor)
    return rows
  } finally {
    rmSync(sysfsPath, { recursive: true, force: true })
  }
}

/** @param {string} what @param {{ first: number, second: number, ratio: number }} times @param {string} goal */
const row = (what, times, goal) => ({
  what,
  ours: `${times.first.toFixed(2)} us`,
  base: `${times.second.toFixed(2)} us`,
  result: `${times.ratio.toFixed(2)}x`,
  goal,
})

/** @param {string} sysfsPath */
function makeCounters(sysfsPath) {
  return Object.entries(names).flatMap(([folder, name]) => {
    const zone = join(sysfsPath, 'class/powercap', folder)
    return [counter(zone, name), counter(join(zone, `${folder}:0`), 'dram')]
  })
}

/** @param {string} folder @param {string} name */
function counter(folder, name) {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'name'), `${name}\n`)
  writeFileSync(join(folder, 'max_energy_range_uj'), '262143328850\n')
  writeFileSync(join(folder, 'energy_uj'), '123456789012\n')
  return join(folder, 'energy_uj')
}
