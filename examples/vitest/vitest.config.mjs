// Tests that tell what they use, and fail where that is too much.
//
//   npx vitest run --root examples/vitest
//   CODECARBON_COUNTRY_ISO_CODE=FRA npx vitest run --root examples/vitest
import { CarbonReporter } from 'codecarbon/vitest'
import { defineConfig } from 'vitest/config'

const carbon = new CarbonReporter({
  budget: { energyJoules: 5000, perFile: { energyJoules: 2000 } },
  outputFile: 'carbon.json',
  // The share of Vitest and its workers, whatever else the machine does.
  tracking: { trackingMode: 'process', outputMethods: [] },
})

// oxlint-disable-next-line import/no-default-export -- what vitest reads
export default defineConfig({ test: { reporters: ['default', carbon] } })
