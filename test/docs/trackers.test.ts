import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { carbonMetadata } from '../../src/integrations/opik/opik.ts'
import { settingSpecs } from '../../src/integrations/mlflow/mlflow-options.ts'
import { recordOf } from '../fixtures/csv/records.ts'

const page = readFileSync(new URL('../../docs/trackers.md', import.meta.url), 'utf8')

it('the page about trackers names every option and variable of MLflow, and no other', () => {
  const variables = Object.values(settingSpecs).flatMap((spec) => ('variable' in spec ? [spec.variable] : []))
  expect(new Set(page.match(/\bMLFLOW_[A-Z_]+/g))).toEqual(new Set(variables))
  for (const name of Object.keys(settingSpecs)) expect(page).toContain(`\`${name}\``)
})

it('the page about trackers names the metadata of Opik', () => {
  const written = [...page.matchAll(/`(\w+)`/g)].map(([, name]) => name)
  const left = Object.keys(carbonMetadata(recordOf())).filter(
    (name) => !written.includes(name) && !/_(?:low|high)_k(?:wh|g)$/.test(name),
  )
  expect(left).toEqual([])
})
