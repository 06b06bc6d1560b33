// `npm test`: makes the clone ready, then everything that must hold: types, lint, format, generated files, tests, package.
import { makeReady, must, tool } from './ready.js'

makeReady()
tool('tsc', '-p', 'tsconfig.json')
tool('oxlint', '--type-aware', '--deny-warnings')
tool('prettier', '--check', '--log-level=warn', '.')
must(process.execPath, ['scripts/build-data.js', '--check'])
must(process.execPath, ['scripts/build-docs.js', '--check'])
must(process.execPath, ['scripts/build-dashboards.js', '--check'])
tool('vitest', 'run')
must(process.execPath, ['scripts/check-package.js'])
