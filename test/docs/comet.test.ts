import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { metricsOf, parametersOf, taskMetricsOf } from '../../src/exporters/run-figures.ts'
import { settingSpecs } from '../../src/integrations/comet/comet-options.ts'
import { recordOf } from '../fixtures/csv/records.ts'

const page = readFileSync(fileURLToPath(new URL('../../docs/comet.md', import.meta.url)), 'utf8')

test('docs/comet.md names every variable that is read, and no other', () => {
  const read = Object.values(settingSpecs).flatMap(({ names }) =>
    names.split(' ').map((name) => `COMET_${name.toUpperCase()}`),
  )
  const named = new Set(page.match(/\bCOMET_[A-Z0-9_]+[A-Z0-9]/g))
  expect(read.filter((name) => !named.has(name))).toEqual([])
  const others = ['COMET_AUTO_LOG_ENV_GPU', 'COMET_AUTO_LOG_GIT_METADATA', 'COMET_LOGGING_HIDE_API_KEY']
  expect([...named].filter((name) => !read.includes(name) && !others.includes(name))).toEqual([])
})

test('docs/comet.md names every metric', () => {
  // `codecarbon_{cpu,gpu}_energy` and `_rate` behind a longer name are short for several.
  const spelled = page
    .replace(/codecarbon_\{([\w,]+)\}(\w+)/g, (_, parts: string, rest: string) =>
      parts
        .split(',')
        .map((part) => `codecarbon_${part}${rest}`)
        .join(' '),
    )
    .replaceAll('`_rate`', '`codecarbon_emissions_rate`')
    .replaceAll('`_emissions`', '`codecarbon_task_emissions`')
    .replaceAll('`_duration`', '`codecarbon_task_duration`')
  const record = recordOf({ gpuCount: 1 })
  const [cpu, ...components] = record.components
  const all = {
    ...record,
    components: [...components, { ...cpu, component: 'cpu' }, { ...cpu, component: 'gpu' }],
  }
  const group = { name: 'a', count: 1, energy: 1, emissions: 1, seconds: 1, epoch: undefined }
  const names = [
    ...Object.keys(metricsOf(all as typeof record, undefined)),
    ...Object.keys(taskMetricsOf(group)),
  ]
  expect(names).toHaveLength(15)
  expect(names.filter((name) => !new RegExp(String.raw`\b${name}\b`).test(spelled))).toEqual([])
  expect(Object.keys(parametersOf(record)).every((name) => name.startsWith('codecarbon_'))).toBe(true)
})
