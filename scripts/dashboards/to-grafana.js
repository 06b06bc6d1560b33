/** @typedef {import('./panel.js').Dashboard} Dashboard */
/** @typedef {import('./panel.js').Panel} Panel */

/** The model of a dashboard as Grafana 10.4 and later keep it. @param {Dashboard} dashboard */
export function toGrafana({ uid, title, description, from, variables, panels }) {
  return {
    uid,
    title,
    description,
    tags: ['codecarbon'],
    editable: false,
    graphTooltip: 1,
    schemaVersion: 39,
    version: 1,
    refresh: '30s',
    time: { from, to: 'now' },
    timezone: 'browser',
    annotations: { list: [] },
    links: [
      {
        type: 'dashboards',
        title: 'CodeCarbon',
        tags: ['codecarbon'],
        asDropdown: true,
        includeVars: true,
        keepTime: true,
      },
    ],
    templating: {
      list: [dataSourceVariable, job, instance, ...variables.map((name) => furtherVariables[name])],
    },
    panels: place(panels).map(toPanel),
  }
}

/** Whose data a panel shows: chosen on top of the dashboard. */
function datasource() {
  return { type: 'prometheus', uid: '${datasource}' }
}

const dataSourceVariable = {
  name: 'datasource',
  label: 'Data source',
  type: 'datasource',
  query: 'prometheus',
  refresh: 1,
  hide: 0,
}
const job = valuesOf('job', 'Job', 'label_values(codecarbon_build_info, job)')
const instance = valuesOf(
  'instance',
  'Instance',
  'label_values(codecarbon_build_info{job=~"$job"}, instance)',
)
const furtherVariables = {
  component: valuesOf(
    'component',
    'Component',
    'label_values(codecarbon_component_energy_joules_total{job=~"$job", instance=~"$instance"}, component)',
  ),
  task: valuesOf(
    'task',
    'Task',
    'label_values(codecarbon_task_energy_joules_count{job=~"$job", instance=~"$instance"}, task)',
  ),
  budget: {
    name: 'budget',
    label: 'Budget of 30 days in kg',
    type: 'textbox',
    query: '10',
    current: { text: '10', value: '10' },
    hide: 0,
  },
}

/** @param {string} name @param {string} label @param {string} query */
function valuesOf(name, label, query) {
  return {
    name,
    label,
    type: 'query',
    datasource: datasource(),
    query: { query, refId: 'values' },
    definition: query,
    // With every change of the range: what ended or began with it is in it.
    refresh: 2,
    sort: 1,
    includeAll: true,
    multi: true,
    allValue: '.+',
    current: { text: ['All'], value: ['$__all'] },
    hide: 0,
  }
}

/** From left to right and downwards, as in a text. @param {readonly Panel[]} panels */
function place(panels) {
  let [x, y, height] = [0, 0, 0]
  return panels.map((panel) => {
    if (x + panel.width > 24) {
      y += height
      x = height = 0
    }
    const placed = { panel, gridPos: { h: panel.height, w: panel.width, x, y } }
    x += panel.width
    height = Math.max(height, panel.height)
    return placed
  })
}

/** @param {ReturnType<typeof place>[number]} placed */
function toPanel({ panel, gridPos }) {
  const { id, title, description, type, interval, queries } = panel
  return {
    id,
    type,
    title,
    description,
    datasource: datasource(),
    gridPos,
    ...(interval === undefined ? {} : { interval }),
    targets: queries.map((query, index) => ({
      refId: refId(index),
      datasource: datasource(),
      editorMode: 'code',
      expr: query.expr,
      legendFormat: query.legend ?? '__auto',
      instant: query.isInstant === true,
      range: query.isInstant !== true,
      format: query.format ?? 'time_series',
      exemplar: query.hasExemplars === true,
    })),
    fieldConfig: { defaults: defaultsOf(panel), overrides: overridesOf(panel) },
    options: optionsOf(panel),
    ...(panel.hidden === undefined ? {} : { transformations: [without(panel.hidden)] }),
  }
}

/** A, B, …, Z, AA, … @param {number} index @returns {string} */
function refId(index) {
  const letter = String.fromCodePoint(65 + (index % 26))
  return index < 26 ? letter : `${refId(Math.floor(index / 26) - 1)}${letter}`
}

/** @param {Panel} panel */
function defaultsOf({ type, unit, range, steps, words, look }) {
  return {
    unit,
    ...range,
    color: steps === undefined ? { mode: 'palette-classic' } : { mode: 'thresholds' },
    ...(steps === undefined
      ? {}
      : {
          thresholds: {
            mode: 'absolute',
            steps: steps.map(([value, color], index) => ({ color, value: index === 0 ? null : value })),
          },
        }),
    ...(words === undefined ? {} : { mappings: [{ type: 'value', options: words }] }),
    ...(type === 'timeseries' ? { custom: lookOf(look) } : {}),
  }
}

/** @param {Panel['look']} look */
function lookOf(look) {
  return {
    drawStyle: look === 'bars' ? 'bars' : 'line',
    fillOpacity: look === 'stacked' ? 30 : look === 'bars' ? 60 : 5,
    lineWidth: 1,
    showPoints: 'never',
    stacking: { mode: look === 'stacked' ? 'normal' : 'none', group: 'A' },
  }
}

/** @param {Panel} panel */
function overridesOf({ type, queries }) {
  return queries.flatMap(({ unit }, index) =>
    unit === undefined
      ? []
      : [
          {
            matcher: { id: 'byFrameRefID', options: refId(index) },
            properties: [
              { id: 'unit', value: unit },
              ...(type === 'timeseries' ? [{ id: 'custom.axisPlacement', value: 'right' }] : []),
            ],
          },
        ],
  )
}

/** @param {Panel} panel */
function optionsOf({ type }) {
  const latest = { calcs: ['lastNotNull'], fields: '', values: false }
  switch (type) {
    case 'stat':
      return { reduceOptions: latest, colorMode: 'value', graphMode: 'none', textMode: 'value_and_name' }
    case 'gauge':
      return { reduceOptions: latest }
    case 'bargauge':
      return { reduceOptions: latest, orientation: 'horizontal', displayMode: 'basic' }
    case 'timeseries':
      return {
        legend: { showLegend: true, displayMode: 'list', placement: 'bottom', calcs: [] },
        tooltip: { mode: 'multi', sort: 'desc' },
      }
    case 'heatmap':
      return {
        calculate: false,
        color: { mode: 'scheme', scheme: 'Greens' },
        exemplars: { color: 'orange' },
        yAxis: { unit: 'joule' },
      }
    case 'state-timeline':
      return {
        mergeValues: true,
        showValue: 'auto',
        legend: { showLegend: false, displayMode: 'list', placement: 'bottom' },
      }
    case 'table':
      return { showHeader: true }
  }
}

/** @param {readonly string[]} columns */
function without(columns) {
  return {
    id: 'organize',
    options: { excludeByName: Object.fromEntries(columns.map((name) => [name, true])) },
  }
}
