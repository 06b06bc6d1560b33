import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const source = fileURLToPath(new URL('../src', import.meta.url))
const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => name.replaceAll(sep, '/'))
const textOf = (file: string): string => readFileSync(join(source, file), 'utf8')

/** What a file imports: paths below src, or names of packages. */
const importsOf = (file: string): string[] =>
  [
    ...textOf(file).matchAll(
      /^(?:import|export)\b[^'"]*?from '([^']+)'|^import '([^']+)'|\bimport\('([^']+)'\)/gm,
    ),
  ]
    .map(([, from, bare, lazy]) => from ?? bare ?? lazy ?? '')
    .map((name) =>
      name.startsWith('.')
        ? relative(source, resolve(source, dirname(file), name)).replaceAll(sep, '/')
        : name,
    )

/** What the files of a room may import besides `node:` modules, as beginnings of paths and names. DESIGN, folders. */
const rooms: readonly (readonly [room: string, allowed: readonly string[]])[] = [
  ['core/', ['core/']],
  ['files/', ['core/', 'files/']],
  ['host/', ['core/', 'files/', 'host/']],
  ['http/', ['core/', 'http/']],
  ['config/', ['core/', 'config/', 'ini', 'package-file.ts']],
  ['codecarbon-api/', ['core/', 'http/', 'codecarbon-api/']],
  ['login/', ['core/', 'files/', 'http/', 'login/', 'openid-client']],
  ['setup/', ['codecarbon-api/', 'config/', 'core/', 'files/', 'setup/']],
  [
    'grid/live/',
    [
      'core/',
      'http/',
      'grid/live/',
      'grid/cloud-region.ts',
      'grid/gazetteer.ts',
      'grid/place.ts',
      'config/nearest.ts',
    ],
  ],
  [
    'grid/locate/',
    [
      'core/',
      'http/',
      'grid/locate/',
      'grid/live/entry-cache.ts',
      'grid/live/json-fields.ts',
      'grid/cloud-region.ts',
      'grid/gazetteer.ts',
      'grid/place.ts',
      'grid/time-zone.ts',
    ],
  ],
  ['grid/', ['core/', 'grid/', 'config/nearest.ts', 'data-table.ts', 'package-file.ts']],
  ['embodied/', ['core/', 'data-table.ts']],
  ['cpu/', ['core/', 'cpu/', 'package-file.ts']],
  ['probes/linux/', ['core/', 'probes/linux/']],
  ['probes/macos/', ['core/', 'probes/macos/']],
  ['probes/windows/', ['core/', 'cpu/', 'probes/windows/']],
  ['gpu/', ['core/', 'gpu/', 'data-table.ts']],
  ['probes/bmc/', ['core/', 'http/', 'probes/bmc/']],
  ['probes/', ['core/', 'cpu/', 'gpu/', 'probes/', 'koffi']],
  ['meters/', ['config/', 'core/', 'gpu/', 'meters/', 'probes/']],
  ['exporters/csv/', ['core/', 'exporters/csv/', 'files/', 'package-file.ts', 'csv-']],
  ['exporters/text/', ['core/', 'exporters/text/']],
  [
    'exporters/prometheus/',
    [
      'core/',
      'exporters/prometheus/',
      'exporters/metrics.ts',
      'exporters/observations.ts',
      'exporters/do-each.ts',
      'exporters/ended-task.ts',
      'exporters/task-histograms.ts',
      'exporters/task-points.ts',
      'exporters/duration-points.ts',
      'exporters/compat-metrics.ts',
      'exporters/delivery.ts',
      'exporters/service-address.ts',
      'files/',
      'http/',
      'prom-client',
      '@opentelemetry/api',
      'bcryptjs',
      'yaml',
    ],
  ],
  [
    'exporters/otel/',
    [
      'core/',
      'exporters/otel/',
      'exporters/metrics.ts',
      'exporters/observations.ts',
      'exporters/do-each.ts',
      'exporters/ended-task.ts',
      'exporters/task-points.ts',
      'exporters/duration-points.ts',
      'exporters/beginnings.ts',
      'exporters/service-address.ts',
      '@opentelemetry/',
    ],
  ],
  [
    'exporters/comet/',
    [
      'core/',
      'exporters/comet/',
      'exporters/csv/',
      'exporters/live-look.ts',
      'exporters/run-figures.ts',
      'exporters/run-news.ts',
      'exporters/run-page.ts',
    ],
  ],
  [
    'exporters/mlflow/',
    [
      'core/',
      'exporters/mlflow/',
      'exporters/csv/',
      'exporters/live-look.ts',
      'exporters/run-figures.ts',
      'exporters/run-news.ts',
      'exporters/run-page.ts',
    ],
  ],
  ['exporters/metrics/', ['exporters/metrics/']],
  ['exporters/api/', ['core/', 'exporters/api/', 'codecarbon-api/', 'files/', 'http/']],
  ['exporters/run-page.ts', ['core/', 'exporters/text/quantity.ts', 'exporters/task-groups.ts']],
  [
    'exporters/github/',
    ['core/', 'exporters/github/', 'exporters/text/quantity.ts', 'files/', 'statement/markdown-text.ts'],
  ],
  [
    'exporters/',
    [
      'core/',
      'files/',
      'http/',
      'exporters/run-figures.ts',
      'exporters/run-news.ts',
      'exporters/ended-task.ts',
      'exporters/task-attributes.ts',
      'exporters/task-groups.ts',
      'exporters/told-figures.ts',
      'exporters/task-points.ts',
      'exporters/summary.ts',
      'exporters/metrics.ts',
      'exporters/metrics/',
      'exporters/model-call-observations.ts',
      'exporters/observations.ts',
      'exporters/csv/columns.ts',
      'exporters/record.ts',
      'exporters/delivery.ts',
      'exporters/service-address.ts',
    ],
  ],
  [
    'fleet/',
    [
      'core/',
      'fleet/',
      'http/',
      'exporters/metrics.ts',
      'exporters/service-address.ts',
      'statement/run.ts',
      'statement/scraped-from.ts',
      'yaml',
    ],
  ],
  [
    'integrations/comet/comet.ts',
    [
      'core/',
      'http/',
      'integrations/comet/',
      'exporters/comet/',
      'comparisons-for.ts',
      'exit.ts',
      'log.ts',
      'tracker.ts',
    ],
  ],
  [
    'integrations/comet/',
    [
      'core/',
      'files/',
      'http/',
      'integrations/comet/',
      'config/config-file.ts',
      'config/nearest.ts',
      'log.ts',
      'package-file.ts',
      'fflate',
    ],
  ],
  [
    'integrations/mlflow/',
    [
      'core/',
      'http/',
      'integrations/mlflow/',
      'exporters/mlflow/',
      'config/config-file.ts',
      'config/nearest.ts',
      'comparisons-for.ts',
      'exit.ts',
      'log.ts',
    ],
  ],
  // The list of all hooks.
  ['integrations/register/known-hooks.ts', ['integrations/']],
  [
    'integrations/register/',
    [
      'config/',
      'core/',
      'files/',
      'integrations/register/',
      'integrations/comet/hold-process.ts',
      'scopes/',
      'auto-comet.ts',
      'auto-mlflow.ts',
      'exit.ts',
      'log.ts',
      'package-file.ts',
      'tracker.ts',
      'import-in-the-middle/register-hooks.mjs',
    ],
  ],
  [
    'integrations/bullmq/',
    [
      'core/',
      'scopes/',
      'integrations/bullmq/',
      'integrations/hook-parts/',

      'integrations/register/library-hook.ts',
      'exporters/text/quantity.ts',
      'package-file.ts',
    ],
  ],
  [
    'integrations/pg-boss/',
    [
      'core/',
      'scopes/',
      'integrations/pg-boss/',
      'integrations/hook-parts/',

      'integrations/register/library-hook.ts',
    ],
  ],
  [
    'integrations/node-cron/',
    [
      'scopes/measured-function.ts',
      'integrations/hook-parts/',
      'integrations/register/library-hook.ts',
      'with-carbon.ts',
    ],
  ],
  ['integrations/hook-parts/', ['core/bounded-names.ts', 'scopes/']],
  ['scopes/check-options.ts', ['core/', 'config/nearest.ts']],
  ['scopes/', ['core/', 'scopes/', 'log.ts', 'run.ts', 'run-tasks.ts', 'thenable.ts', 'tracker.ts']],
  [
    'integrations/tfjs/',
    [
      'core/',
      'scopes/',
      'integrations/tfjs/',
      'integrations/register/library-hook.ts',

      'integrations/hook-parts/',
    ],
  ],
  [
    'integrations/onnxruntime/',
    [
      'core/',
      'scopes/',
      'integrations/onnxruntime/',
      'integrations/register/library-hook.ts',

      'integrations/hook-parts/',
    ],
  ],
  ['integrations/model-calls/', ['core/', 'scopes/', 'config/nearest.ts', 'integrations/model-calls/']],
  [
    'integrations/langchain/',
    ['scopes/', 'integrations/langchain/', 'integrations/model-calls/', 'integrations/hook-parts/'],
  ],
  [
    'integrations/ai/',
    [
      'scopes/',
      'integrations/ai/',
      'integrations/model-calls/',
      'integrations/register/library-hook.ts',
      'integrations/hook-parts/',
    ],
  ],
  ['integrations/opik/', ['core/', 'integrations/opik/', 'config/nearest.ts', 'tracker.ts', 'thenable.ts']],
  ['integrations/vitest/cpu-time.ts', ['core/', 'integrations/vitest/cpu-note.ts', 'vitest']],
  [
    'integrations/vitest/',
    [
      'core/',
      'integrations/vitest/',
      'exporters/github/',
      'exporters/summary.ts',
      'exporters/text/quantity.ts',
      'statement/markdown-text.ts',
      'scopes/',
      'config/load-options.ts',
      'config/option-source.ts',
      'config/nearest.ts',
      'files/whole-file.ts',
      'comparisons-for.ts',
      'log.ts',
      'tracker.ts',
      'version.ts',
    ],
  ],
  [
    'integrations/http/',
    [
      'core/',
      'scopes/',
      'http/own-servers.ts',
      'integrations/http/',
      'integrations/register/library-hook.ts',
    ],
  ],
  ...['express', 'fastify', 'koa', 'hono'].map(
    (framework) =>
      [
        `integrations/${framework}/`,
        [
          'core/',
          `integrations/${framework}/`,
          'integrations/http/',
          'integrations/register/library-hook.ts',
        ],
      ] as const,
  ),
  ['integrations/wandb/', ['core/', 'exporters/wandb-exporter.ts', 'comparisons-for.ts']],
  [
    'statement/',
    [
      'core/',
      'statement/',
      'exporters/text/quantity.ts',
      'grid/comparisons.ts',
      'cpu/find-cpu.ts',
      'csv-parse',
    ],
  ],
]

describe('import directions', () => {
  it.each(files)('%s imports only what its room may', (file) => {
    const room = rooms.find(([name]) => file.startsWith(name))
    const outside = importsOf(file).filter((name) => !name.startsWith('node:'))
    if (room === undefined) return
    expect(outside.filter((name) => !room[1].some((allowed) => name.startsWith(allowed)))).toEqual([])
  })

  it('core does no I/O: it needs no module of Node', () => {
    const needed = files.filter((file) => file.startsWith('core/')).flatMap(importsOf)
    expect(needed.filter((name) => name.startsWith('node:'))).toEqual([])
  })

  it('only the composition root knows probes, grid and exporters together', () => {
    const knowing = files.filter((file) => {
      const known = new Set(importsOf(file).map((name) => name.split('/')[0]))
      return ['probes', 'grid', 'exporters'].filter((room) => known.has(room)).length > 1
    })
    expect(
      knowing.filter(
        (file) => !['start.ts', 'survey.ts', 'report.ts', 'run-grid.ts', 'cli/run.ts'].includes(file),
      ),
    ).toEqual([])
  })
})

describe('the code', () => {
  it('has its conversion factors of energy in one place', () => {
    const factors = /\b3\.6e\+?6\b|\b3_?600_?000\b/
    expect(files.filter((file) => factors.test(textOf(file)))).toEqual(
      ['core/units.ts', 'exporters/text/quantity.ts'].toSorted(),
    )
  })

  it.each(files)('%s has no default export, no `export *` and no number behind ||', (file) => {
    expect(textOf(file)).not.toMatch(/^export \*|\|\| *\d/m)
    // Vitest takes what a reporter's path exports by default, and BullMQ what the file of a processor does.
    if (!['integrations/vitest/vitest.ts', 'integrations/bullmq/sandbox-processor.ts'].includes(file))
      expect(textOf(file)).not.toMatch(/^export default|\bas default\b/m)
    expect(['utils.ts', 'helpers.ts', 'misc.ts', 'common.ts', 'types.ts']).not.toContain(basename(file))
  })
})
