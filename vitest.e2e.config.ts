import { defineConfig } from 'vitest/config'

// oxlint-disable-next-line import/no-default-export -- what vitest reads
export default defineConfig({
  test: { include: ['test/e2e/**/*.test.ts'], testTimeout: 120_000 },
})
