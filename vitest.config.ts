import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

// oxlint-disable-next-line import/no-default-export -- what vitest reads
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/e2e/**'],
    testTimeout: 30_000,
    // Nobody's own configuration file or place has a say in a test.
    env: { HOME: join(tmpdir(), 'no-home-of-anybody'), TZ: 'UTC' },
  },
})
