// Run by scripts/node-versions.js in a project that has the packed package installed: the main path of the library, on this Node.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EmissionsTracker, OfflineEmissionsTracker, carbonIntensity, trackEmissions } from 'codecarbon'

const outputDir = mkdtempSync(join(tmpdir(), 'codecarbon-smoke-out-'))
try {
  const tracker = new EmissionsTracker({ outputDir, countryIsoCode: 'FRA', logLevel: 'error' }).start()
  const sum = tracker.task('sum', () => {
    let total = 0
    for (let n = 0; n < 3e7; n += 1) total += n % 7
    return total
  })
  assert.ok(sum > 0)
  const kg = await tracker.stop()
  assert.ok(kg !== undefined && kg > 0, 'emissions are above zero')
  assert.equal(await tracker.stop(), kg)

  const double = trackEmissions(async (/** @type {number} */ n) => 2 * n, {
    outputDir,
    logLevel: 'error',
    offline: true,
  })
  assert.equal(await double(21), 42)
  assert.ok(carbonIntensity({ countryIsoCode: 'FRA' }).gramsPerKwh > 0)
  assert.equal(typeof OfflineEmissionsTracker, 'function')

  const lines = readFileSync(join(outputDir, 'emissions.csv'), 'utf8').trimEnd().split('\n')
  assert.equal(lines.length, 3)
  assert.ok(lines[1]?.includes(`node ${process.version}`))
  console.log(`ok ${process.version}`)
} finally {
  rmSync(outputDir, { recursive: true, force: true })
}
