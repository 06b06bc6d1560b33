// Import, construct and start, in processes of their own, against a process that does nothing.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { median } from './measure.js'

const tell = `process.stdout.write(JSON.stringify({ ms: performance.now(), rss: process.memoryUsage.rss() }))`
const programs = {
  bare: tell,
  tracked: `import { EmissionsTracker } from 'codecarbon'
new EmissionsTracker({ logLevel: 'error', countryIsoCode: 'FRA', outputMethods: [] }).start()
${tell}`,
}
const rounds = 21

/** @returns {import('./measure.js').Row[]} */
export function benchStart() {
  const folder = mkdtempSync(join(tmpdir(), 'codecarbon-bench-'))
  try {
    /** @type {{ ms: number[], mb: number[] }} */
    const differences = { ms: [], mb: [] }
    /** @type {{ bare: number[], tracked: number[] }} */
    const times = { bare: [], tracked: [] }
    for (let round = 0; round < rounds; round += 1) {
      const bare = once(programs.bare)
      const tracked = once(programs.tracked)
      times.bare.push(bare.ms)
      times.tracked.push(tracked.ms)
      differences.ms.push(tracked.ms - bare.ms)
      differences.mb.push((tracked.rss - bare.rss) / 1e6)
    }
    return [
      {
        what: 'import + construct + start, over bare Node',
        ours: `${median(times.tracked).toFixed(1)} ms`,
        base: `${median(times.bare).toFixed(1)} ms`,
        result: `+${median(differences.ms).toFixed(1)} ms`,
        goal: '<= 40 ms',
      },
      {
        what: 'the same, memory',
        ours: '',
        base: '',
        result: `+${median(differences.mb).toFixed(1)} MB`,
        goal: '<= 15 MB',
      },
    ]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** @param {string} program @returns {{ ms: number, rss: number }} */
function once(program) {
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    encoding: 'utf8',
  })
  return JSON.parse(stdout)
}
