// One tick over eight NVIDIA cards, against nothing but the two calls a card that it takes. The library is a fake in C: with one system call in
// each, the least that the driver's own library makes (ioctl on /dev/nvidiactl), and with none, so that only our part is left.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import koffi from 'koffi'
import { createNvmlProbe } from '../build/probes/nvml/nvml-probe.js'
import { seconds } from '../build/core/units.js'
import { compare } from './measure.js'

const cards = 8

/** @returns {Promise<import('./measure.js').Row[]>} */
export async function benchGpu() {
  if (spawnSync('cc', ['--version']).status !== 0) {
    console.error('no C compiler (cc): the tick over eight cards is left out')
    return []
  }
  const folder = mkdtempSync(join(tmpdir(), 'codecarbon-bench-'))
  try {
    return [
      await row(
        folder,
        'tick: 8 NVIDIA cards; bare calls, one system call each',
        '<= 1.5x',
        '-DWITH_SYSTEM_CALL',
      ),
      await row(folder, 'the same with a library that does nothing', '(none)'),
    ]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** @param {string} folder @param {string} what @param {string} goal @param {string[]} flags */
async function row(folder, what, goal, ...flags) {
  const libraryPath = join(folder, `libnvidia-ml-${flags.length}.so`)
  const source = fileURLToPath(new URL('../test/fixtures/nvml/fake-nvml.c', import.meta.url))
  execFileSync('cc', ['-shared', '-fPIC', '-O2', ...flags, '-o', libraryPath, source])
  const library = koffi.load(libraryPath)
  library.func('fake_reset', 'void', ['uint'])(cards)
  // Counters that stand still are taken for dead: each read moves them.
  library.func('fake_run', 'void', ['int'])(1)

  const probe = createNvmlProbe({ libraryPath, environment: {} })
  // Opening keeps no process alive.
  const alive = setInterval(() => {}, 1000)
  await probe.opened
  clearInterval(alive)
  // A second between ticks: what is not asked for every time is asked for in each.
  let at = performance.now() / 1000
  const tick = () => {
    at += 1
    const { readings } = probe.read({ at: seconds(at), resumed: false })
    if (readings.length !== cards) throw new Error(`${readings.length} cards were read`)
  }
  const times = compare(tick, bareCalls(library))
  probe.close?.()
  await new Promise((resolve) => setTimeout(resolve, 50))
  return {
    what,
    ours: `${times.first.toFixed(2)} us`,
    base: `${times.second.toFixed(2)} us`,
    result: `${times.ratio.toFixed(2)}x`,
    goal,
  }
}

/** Energy and use of every card, and nothing else. @param {import('koffi').LibraryHandle} library */
function bareCalls(library) {
  const energyOf = library.func('nvmlDeviceGetTotalEnergyConsumption', 'int', ['void *', 'void *'])
  const useOf = library.func('nvmlDeviceGetUtilizationRates', 'int', ['void *', 'void *'])
  const handleOf = library.func('nvmlDeviceGetHandleByIndex_v2', 'int', ['uint', 'void *'])
  const handles = Array.from({ length: cards }, (_, index) => {
    const handle = new BigUint64Array(1)
    handleOf(index, handle)
    return handle[0]
  })
  const pair = new Uint32Array(2)
  return () => {
    for (const handle of handles) {
      energyOf(handle, pair)
      useOf(handle, pair)
    }
  }
}
