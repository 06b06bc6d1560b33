import { defineConfig } from 'vitest/config'

// oxlint-disable-next-line import/no-default-export -- what vitest reads
export default defineConfig({
  test: { include: ['test/**/*.test.ts'], exclude: ['test/e2e/**'], testTimeout: 30_000 },
})
