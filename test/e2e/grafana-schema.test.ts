import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { dashboards } from '../fixtures/operations.ts'
import { temporaryFolder } from '../fixtures/programs/temporary-folder.ts'

/** Where `@grafana/grafana-foundation-sdk` is installed: the types that Grafana makes of its schema. */
const home = process.env['E2E_GRAFANA_TYPES'] ?? ''
const isRun = existsSync(join(home, 'node_modules/@grafana/grafana-foundation-sdk'))
if (!isRun)
  console.log("Skipped: dashboards by Grafana's schema. It needs E2E_GRAFANA_TYPES, as .ci/run sets it.")

const tsc = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url))

/** Enums are their values in JSON, and what is left out Grafana fills in. What there is not, or has another value, is an error. */
const preamble = `
import type * as dashboard from '@grafana/grafana-foundation-sdk/dashboard'
import type * as prometheus from '@grafana/grafana-foundation-sdk/prometheus'
import type * as bargauge from '@grafana/grafana-foundation-sdk/bargauge'
import type * as gauge from '@grafana/grafana-foundation-sdk/gauge'
import type * as heatmap from '@grafana/grafana-foundation-sdk/heatmap'
import type * as stat from '@grafana/grafana-foundation-sdk/stat'
import type * as statetimeline from '@grafana/grafana-foundation-sdk/statetimeline'
import type * as table from '@grafana/grafana-foundation-sdk/table'
import type * as timeseries from '@grafana/grafana-foundation-sdk/timeseries'

type Json<T> = 0 extends 1 & T ? any
  : T extends string ? \`\${T}\`
  : T extends number ? T | (\`\${T}\` extends \`\${infer N extends number}\` ? N : never)
  : T extends boolean | null | undefined ? T
  : T extends readonly (infer U)[] ? Json<U>[]
  : T extends object ? { [K in keyof T as K extends \`_implements\${string}\` ? never : K]?: Json<T[K]> }
  : T

interface Kinds {
  bargauge: { options: bargauge.Options; custom: never }
  gauge: { options: gauge.Options; custom: never }
  heatmap: { options: heatmap.Options; custom: heatmap.FieldConfig }
  stat: { options: stat.Options; custom: never }
  'state-timeline': { options: statetimeline.Options; custom: statetimeline.FieldConfig }
  table: { options: table.Options; custom: table.FieldConfig }
  timeseries: { options: timeseries.Options; custom: timeseries.FieldConfig }
}
type Defaults<C> = Omit<Json<dashboard.FieldConfig>, 'custom'> & { custom?: Json<C> }
type PanelOf<K extends keyof Kinds> = Omit<Json<dashboard.Panel>, 'type' | 'options' | 'targets' | 'fieldConfig'> & {
  id: number
  type: K
  options: Json<Kinds[K]['options']>
  targets: Json<prometheus.Dataquery>[]
  fieldConfig: { defaults: Defaults<Kinds[K]['custom']>; overrides: Json<dashboard.FieldConfigSource>['overrides'] }
}
type Panel = { [K in keyof Kinds]: PanelOf<K> }[keyof Kinds]
export type Dashboard = Omit<Json<dashboard.Dashboard>, 'panels'> & { uid: string; title: string; panels: Panel[] }
`

/** What TypeScript has against these values being dashboards. */
function complaintsAbout(values: readonly object[]): string {
  const folder = temporaryFolder()
  mkdirSync(folder, { recursive: true })
  symlinkSync(join(home, 'node_modules'), join(folder, 'node_modules'))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  const constants = values.map(
    (value, index) => `export const d${index}: Dashboard = ${JSON.stringify(value, undefined, 1)}\n`,
  )
  writeFileSync(join(folder, 'dashboards.ts'), `${preamble}${constants.join('')}`)
  const flags = [
    '--noEmit',
    '--strict',
    '--module',
    'nodenext',
    '--target',
    'es2022',
    '--skipLibCheck',
    '--types',
    '',
  ]
  const { stdout, stderr } = spawnSync(process.execPath, [tsc, ...flags, 'dashboards.ts'], {
    cwd: folder,
    encoding: 'utf8',
  })
  return `${stdout}${stderr}`
}

describe.runIf(isRun)("dashboards by Grafana's schema", { timeout: 120_000 }, () => {
  it('are what it has', () => {
    expect(complaintsAbout(dashboards.map(([, dashboard]) => dashboard))).toBe('')
  })

  it('are not, where a name or a value is wrong', () => {
    const [[, good]] = dashboards as unknown as [
      [string, { panels: { options: object; fieldConfig: object }[] }],
    ]
    const withPanel = (change: object): object => ({ ...good, panels: [{ ...good.panels[0], ...change }] })
    const complaints = complaintsAbout([
      { ...good, graphToolTip: 1 },
      withPanel({ type: 'statt' }),
      withPanel({ options: { colorMode: 'values' } }),
      withPanel({ gridPos: { h: '5', w: 6, x: 0, y: 0 } }),
      withPanel({ targets: [{ expr: 'up', format: 'timeseries' }] }),
    ])
    const found = complaints.trim().split('\n')
    expect(found).toEqual(
      [
        /'"graphToolTip"' does not exist in type 'Dashboard'/,
        /'"statt"' is not assignable to type '"bargauge" \| "gauge"/,
        /is not assignable to type '"background" \|/,
        /'string' is not assignable to type 'number'/,
        /'"timeseries"' is not assignable to type '"heatmap" \|/,
      ].map((message) => expect.stringMatching(message) as string),
    )
  })
})
