import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it, test } from 'vitest'
import { parse } from 'yaml'
import { labelName, metricSpecs, prometheusName } from '../../src/exporters/metrics.ts'
import { dashboards, expressions, grafanaFolder, metricsIn, rules } from '../fixtures/operations.ts'

/** Names of series with the labels that they may have. Targets add job and instance. */
const series = new Map<string, readonly string[]>(
  metricSpecs.flatMap(([, spec]): (readonly [string, readonly string[]])[] => {
    const name = prometheusName(spec)
    const labels = [...spec.attributes.map(labelName), 'job', 'instance']
    if (spec.instrument !== 'histogram') return [[name, labels]]
    return [
      [`${name}_bucket`, [...labels, 'le']],
      [`${name}_sum`, labels],
      [`${name}_count`, labels],
    ]
  }),
)
const recorded = new Set(rules.flatMap(({ record }) => record ?? []))

test('an expression is searched for its metrics', () => {
  const expr =
    'sum by (job, le) (rate(a_total{x="b{c}", y!~"d"}[5m] offset 1w)) / on (job) group_right () (b:c:d > bool 3.6e6) unless hour() == 3 and e'
  expect(metricsIn(expr)).toEqual([
    { metric: 'a_total', labels: ['x', 'y'] },
    { metric: 'b:c:d', labels: [] },
    { metric: 'e', labels: [] },
  ])
})

describe('dashboards and rules', () => {
  it.each(expressions)('ask only for what the table of metrics has: $where', ({ expr }) => {
    const asked = metricsIn(expr)
    // The panel that counts the series asks for all of them.
    if (!expr.includes('__name__')) expect(asked).not.toEqual([])
    for (const { metric, labels } of asked) {
      // The Pushgateway's own metric tells what was pushed to it.
      if (recorded.has(metric) || metric === 'push_time_seconds') continue
      expect([...series.keys()]).toContain(metric)
      expect(series.get(metric)).toEqual(expect.arrayContaining(labels))
    }
  })

  it('show every metric of the table, or a rule does', () => {
    const asked = new Set(expressions.flatMap(({ expr }) => metricsIn(expr).map(({ metric }) => metric)))
    const left = metricSpecs
      .map(([, spec]) => prometheusName(spec))
      .filter((name) => {
        return ![...asked].some((metric) => metric === name || metric.startsWith(`${name}_`))
      })
    // Shares since the runs began: the dashboards ask for those of their range. Intervals of energy: those of emissions are shown. When a run
    // began is for the report of a fleet.
    expect(left).toEqual([
      'codecarbon_component_energy_bound_joules_total',
      'codecarbon_measured_ratio',
      'codecarbon_run_start_timestamp_seconds',
    ])
  })
})

// The rules of Grafana's dashboard-linter.
describe.each(dashboards)('the dashboard %s', (_file, dashboard) => {
  const { uid, title, editable, templating, panels } = dashboard

  it('has a name of its own and cannot be edited in place', () => {
    expect(title).toMatch(/^CodeCarbon \/ [A-Z]/)
    expect(uid).toMatch(/^codecarbon-[a-z]+$/)
    expect(dashboards.filter(([, other]) => other.uid === uid)).toHaveLength(1)
    expect(editable).toBe(false)
  })

  it('asks for the data source, job and instance, and uses every variable', () => {
    const [source, ...others] = templating.list
    expect(source).toMatchObject({ name: 'datasource', type: 'datasource', query: 'prometheus' })
    expect(others).toMatchObject([
      { name: 'job', label: 'Job', type: 'query', multi: true, allValue: '.+' },
      { name: 'instance', label: 'Instance', type: 'query', multi: true, allValue: '.+' },
      ...others.slice(2).map(() => ({})),
    ])
    const text = JSON.stringify(panels)
    for (const { name } of templating.list) expect(text).toMatch(new RegExp(`\\$\\{?${name}\\b`))
    for (const { query } of others) {
      const [, metric] = (typeof query === 'string' ? query : query.query).match(/^label_values\((\w+)/) ?? []
      if (metric !== undefined) expect([...series.keys()]).toContain(metric)
    }
  })

  it('has panels that say what they show, in what unit and of what source', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
    for (const panel of panels) {
      expect(panel.title).toMatch(/^[A-Z]/)
      expect(panel.description).toMatch(/\.$/)
      expect(panel.fieldConfig.defaults.unit).toBeTruthy()
      expect(panel.targets.length).toBeGreaterThan(0)
      expect(new Set(panel.targets.map(({ refId }) => refId)).size).toBe(panel.targets.length)
      for (const { datasource } of [panel, ...panel.targets]) expect(datasource.uid).toBe('${datasource}')
    }
  })

  it('narrows every selector to job and instance, and takes rates over what the step allows', () => {
    for (const { expr } of panels.flatMap(({ targets }) => targets)) {
      const selectors = [...expr.matchAll(/\{[^}]*\}/g)].map(([selector]) => selector)
      expect(selectors).not.toEqual([])
      for (const selector of selectors) expect(selector).toContain('job=~"$job", instance=~"$instance"')
      for (const { metric, labels } of metricsIn(expr))
        expect([metric, labels.length > 0]).toEqual([metric, true])
      for (const [, range = ''] of expr.matchAll(/\brate\([^[]*\[([^\]]*)\]/g)) {
        expect(range).toBe('$__rate_interval')
      }
    }
  })

  it('has its panels side by side, none over another, none beyond the edge', () => {
    const taken = new Set<string>()
    for (const { id, gridPos } of panels) {
      const { x, y, w, h } = gridPos
      expect(x + w).toBeLessThanOrEqual(24)
      for (let column = x; column < x + w; column += 1) {
        for (let row = y; row < y + h; row += 1) {
          expect([id, taken.has(`${column} ${row}`)]).toEqual([id, false])
          taken.add(`${column} ${row}`)
        }
      }
    }
  })
})

describe('rules', () => {
  it('have names by level, metric and operation', () => {
    for (const name of recorded)
      expect(name).toMatch(/^(instance|component|fleet):codecarbon_[a-z_]+:[a-z_]+\d[a-z]$/)
  })

  it('tell whoever is called what is wrong, how bad it is and what helps', () => {
    const alerts = rules.filter(({ alert }) => alert !== undefined)
    const readme = readFileSync(`${grafanaFolder}/README.md`, 'utf8')
    expect(alerts).toHaveLength(7)
    for (const { alert, labels, annotations } of alerts) {
      expect(labels?.['severity']).toMatch(/^(info|warning|critical)$/)
      expect(annotations).toEqual({
        summary: expect.stringMatching(/\S/) as string,
        description: expect.stringMatching(/\.$/) as string,
      })
      expect(readme).toContain(`\`${alert}\``)
    }
  })
})

test('what Grafana is provisioned with is YAML', () => {
  const folder = `${grafanaFolder}/provisioning`
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.yml'),
  )
  expect(files.map((name) => parse(readFileSync(`${folder}/${name}`, 'utf8')) as unknown)).toMatchObject([
    { apiVersion: 1, providers: [{ type: 'file' }] },
    { apiVersion: 1, datasources: [{ type: 'prometheus' }] },
  ])
})
