/* global Comet */
/**
 * A JavaScript panel for Comet: energy by component and over time, emissions with their interval, measured share and comparisons, for one experiment or
 * several side by side. It needs nothing but `emissions.csv`, which CodeCarbon for Python uploads too; what CodeCarbon for Node.js logs besides
 * is shown where it is there.
 */
// oxlint-disable-next-line no-unused-vars -- Comet makes the panel of it
class CodeCarbonPanel extends Comet.Panel {
  setup() {
    this.options = {}
  }

  async draw(experimentKeys) {
    const keys = experimentKeys.slice(0, mostExperiments)
    const experiments = (await Promise.all(keys.map((key) => readExperiment(this.api, key)))).filter(
      (experiment) => experiment !== undefined,
    )
    this.print(renderPanel(experiments, experimentKeys.length))
  }
}

/** More bars than this are no picture. */
const mostExperiments = 20
const assetName = 'emissions.csv'
const components = [
  { key: 'cpu', title: 'Processors', color: '#2f6db5' },
  { key: 'gpu', title: 'Graphics cards', color: '#c2571a' },
  { key: 'ram', title: 'Memory', color: '#3c8d5a' },
]
const lineColors = ['#2f6db5', '#c2571a', '#3c8d5a', '#8352a8', '#b03060', '#5b6770', '#9a7d0a', '#0f8b8d']

// Reading

/** What is known of an experiment; `undefined` where it logged no emissions. */
async function readExperiment(api, key) {
  const [name, asset, others, ...series] = await Promise.all([
    attempt(() => api.experimentName(key)),
    attempt(() => api.experimentAssetByName(key, assetName)),
    attempt(() => api.experimentOther(key)),
    attempt(() => api.experimentMetric(key, 'codecarbon_emissions')),
    ...components.map(({ key: part }) =>
      attempt(() => api.experimentMetric(key, `codecarbon_${part}_power`)),
    ),
  ])
  const text = await textOf(asset)
  const rows = text === undefined ? [] : parseCsv(text)
  const row = rows.at(-1)
  if (row === undefined) return undefined
  const facts = new Map(
    listOf(others).map((one) => [one.name, one.valueCurrent ?? one.valueMax ?? one.value]),
  )
  const fact = (label) => number(facts.get(label))
  return {
    key,
    name: typeof name === 'string' && name !== '' ? name : key.slice(0, 8),
    url: typeof api.experimentURL === 'function' ? api.experimentURL(key) : undefined,
    place: [row.region, row.country_name].filter(Boolean).join(', '),
    seconds: number(row.duration),
    energy: number(row.energy_consumed),
    emissions: number(row.emissions),
    low: fact('CO2 emissions, low (kg)'),
    high: fact('CO2 emissions, high (kg)'),
    measuredShare: fact('Measured share of the energy'),
    parts: Object.fromEntries(components.map(({ key: part }) => [part, number(row[`${part}_energy`])])),
    comparisons: [...facts].filter(([label]) => /^About \d+$/.test(label)).map(([, value]) => String(value)),
    emissionsOverTime: pointsOf(series[0]),
    powers: components.map((part, index) => ({ ...part, points: pointsOf(series[index + 1]) })),
  }
}

/** An experiment without something is no reason to show nothing of the others. */
async function attempt(ask) {
  try {
    return await ask()
  } catch {
    return undefined
  }
}

const number = (value) => {
  const read = value === undefined || value === null || value === '' ? Number.NaN : Number(value)
  return Number.isFinite(read) ? read : undefined
}

const listOf = (value) => (Array.isArray(value) ? value : (value?.values ?? value?.metrics ?? []))

/** A file as the API hands it out: text, bytes, or a wrapper of one of them. */
async function textOf(asset) {
  if (asset === undefined || asset === null) return undefined
  if (typeof asset === 'string') return asset
  if (asset instanceof ArrayBuffer || ArrayBuffer.isView(asset)) return new TextDecoder().decode(asset)
  if (typeof asset.text === 'function') return asset.text()
  return textOf(asset.data ?? asset.content)
}

function pointsOf(answer) {
  return listOf(answer)
    .map((one) => ({
      x: number(one.step ?? one.x),
      y: number(one.metricValue ?? one.value ?? one.y),
    }))
    .filter(({ x, y }) => x !== undefined && y !== undefined)
    .toSorted((one, other) => one.x - other.x)
}

/** The rows of a table (RFC 4180) by the names in its header. */
function parseCsv(text) {
  const rows = [[]]
  let cell = ''
  let isQuoted = false
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at]
    if (isQuoted && character === '"' && text[at + 1] === '"') {
      cell += '"'
      at += 1
    } else if (character === '"') {
      isQuoted = !isQuoted
    } else if (!isQuoted && (character === ',' || character === '\n')) {
      rows.at(-1).push(cell.replace(/\r$/, ''))
      cell = ''
      if (character === '\n') rows.push([])
    } else {
      cell += character
    }
  }
  if (cell !== '' || rows.at(-1).length > 0) rows.at(-1).push(cell)
  const [header = [], ...others] = rows.filter((row) => row.length > 0)
  return others.map((row) => Object.fromEntries(header.map((name, index) => [name, row[index] ?? ''])))
}

// Showing

function renderPanel(experiments, asked) {
  if (experiments.length === 0) {
    return '<div class="codecarbon"><p>None of these experiments has logged emissions.</p></div>'
  }
  const left = asked - experiments.length
  const [only] = experiments
  return `<div class="codecarbon">
    <h3>Energy and emissions</h3>
    ${renderTable(experiments)}
    ${left > 0 ? `<p class="note">${left} more without emissions, or beyond the first ${mostExperiments}</p>` : ''}
    <h4>Emissions, with the interval of the estimate</h4>${renderEmissions(experiments)}
    <h4>Energy by component</h4>${renderParts(experiments)}
    ${experiments.length === 1 ? renderOne(only) : renderTogether(experiments)}
  </div>`
}

function renderTable(experiments) {
  const rows = experiments.map(
    ({ name, url, place, seconds, energy, emissions, low, high, measuredShare }) =>
      `<tr><td>${!/^https?:/i.test(url ?? '') ? escape(name) : `<a href="${escape(url)}" target="_top">${escape(name)}</a>`}</td>${[
        formatMass(emissions),
        low === undefined || high === undefined ? '' : `${formatMass(low)} to ${formatMass(high)}`,
        formatEnergy(energy),
        measuredShare === undefined ? '' : `${Math.round(measuredShare * 100)} %`,
        formatDuration(seconds),
        place,
      ]
        .map((cell) => `<td>${escape(cell)}</td>`)
        .join('')}</tr>`,
  )
  const heads = ['Experiment', 'CO2eq', 'Interval', 'Energy', 'Measured', 'Time', 'Place']
  return `<table><thead><tr>${heads.map((head) => `<th>${head}</th>`).join('')}</tr></thead><tbody>${rows.join('')}</tbody></table>`
}

const barHeight = 22
const labelWidth = 150
const chartWidth = 420
const valueWidth = 110

/** A bar for each experiment. `bar` draws it, with a function that turns amounts into pixels. */
function renderBars(experiments, most, bar, value) {
  const scale = (amount) => (most > 0 ? (amount / most) * chartWidth : 0)
  const rows = experiments.map((experiment, index) => {
    const y = index * barHeight
    return `<g transform="translate(0 ${y})"><text x="${labelWidth - 8}" y="15" text-anchor="end">${escape(short(experiment.name, 22))}</text>
      <g transform="translate(${labelWidth} 0)">${bar(experiment, scale)}</g>
      <text x="${labelWidth + chartWidth + 8}" y="15">${escape(value(experiment))}</text></g>`
  })
  const width = labelWidth + chartWidth + valueWidth
  return `<svg viewBox="0 0 ${width} ${experiments.length * barHeight}" role="img">${rows.join('')}</svg>`
}

function renderEmissions(experiments) {
  const most = Math.max(...experiments.map(({ emissions = 0, high = 0 }) => Math.max(emissions, high)))
  return renderBars(
    experiments,
    most,
    ({ emissions = 0, low, high }, scale) =>
      `<rect class="emissions" y="4" width="${scale(emissions)}" height="14"></rect>${
        low === undefined || high === undefined
          ? ''
          : `<path class="whisker" d="M${scale(low)} 7v8M${scale(low)} 11H${scale(high)}M${scale(high)} 7v8"></path>`
      }`,
    ({ emissions }) => formatMass(emissions),
  )
}

function renderParts(experiments) {
  const sum = ({ parts }) => components.reduce((total, { key }) => total + (parts[key] ?? 0), 0)
  const bars = renderBars(
    experiments,
    Math.max(...experiments.map(sum)),
    ({ parts }, scale) => {
      let x = 0
      return components
        .map(({ key, color }) => {
          const width = scale(parts[key] ?? 0)
          const rect = `<rect x="${x}" y="4" width="${width}" height="14" fill="${color}"></rect>`
          x += width
          return rect
        })
        .join('')
    },
    ({ energy }) => formatEnergy(energy),
  )
  const told = components.filter(({ key }) => experiments.some(({ parts }) => (parts[key] ?? 0) > 0))
  return `${bars}${renderLegend(told)}`
}

const renderLegend = (entries) =>
  `<p class="legend">${entries.map(({ title, color }) => `<span><i style="background:${color}"></i>${escape(title)}</span>`).join('')}</p>`

function renderOne({ powers, emissionsOverTime, comparisons }) {
  const told = powers.filter(({ points }) => points.length > 1)
  const power =
    told.length === 0
      ? ''
      : `<h4>Power over time</h4>${renderLines(told, (watts) => `${significant(watts)} W`)}${renderLegend(told)}`
  const emissions =
    emissionsOverTime.length < 2
      ? ''
      : `<h4>Emissions over time</h4>${renderLines([{ color: '#444', points: emissionsOverTime }], formatMass)}`
  const about =
    comparisons.length === 0
      ? ''
      : `<h4>About</h4><ul>${comparisons.map((text) => `<li>${escape(text)}</li>`).join('')}</ul>`
  return `${power}${emissions}${about}`
}

function renderTogether(experiments) {
  const lines = experiments
    .map(({ name, emissionsOverTime }, index) => ({
      title: name,
      color: lineColors[index % lineColors.length],
      points: emissionsOverTime,
    }))
    .filter(({ points }) => points.length > 1)
  if (lines.length === 0) return ''
  return `<h4>Emissions over time</h4>${renderLines(lines, formatMass)}${renderLegend(lines)}`
}

/** Lines over the seconds since the start. */
function renderLines(lines, format) {
  const [width, height, left, bottom] = [680, 170, 70, 20]
  const all = lines.flatMap(({ points }) => points)
  const last = Math.max(...all.map(({ x }) => x), 1)
  const most = Math.max(...all.map(({ y }) => y)) || 1
  const at = ({ x, y }) =>
    `${(left + (x / last) * (width - left - 10)).toFixed(1)} ${((1 - y / most) * (height - bottom - 10) + 10).toFixed(1)}`
  const paths = lines.map(
    ({ points, color }) => `<path class="line" stroke="${color}" d="M${points.map(at).join('L')}"></path>`,
  )
  const grid = [0, most / 2, most].map((y) => {
    const [, top] = at({ x: 0, y }).split(' ')
    return `<path class="grid" d="M${left} ${top}H${width - 10}"></path><text x="${left - 6}" y="${Number(top) + 4}" text-anchor="end">${escape(format(y))}</text>`
  })
  const times = [0, last / 2, last].map(
    (x, index) =>
      `<text x="${left + (x / last) * (width - left - 10)}" y="${height - 4}" text-anchor="${['start', 'middle', 'end'][index]}">${formatDuration(x)}</text>`,
  )
  return `<svg viewBox="0 0 ${width} ${height}" role="img">${grid.join('')}${paths.join('')}${times.join('')}</svg>`
}

// Words

const significant = (value) => String(Number(value.toPrecision(3)))

/** From kilograms. */
function formatMass(kilograms) {
  if (kilograms === undefined) return 'unknown'
  // 999.9 kg are written as 1 t.
  const rounded = Number(significant(kilograms))
  for (const [size, unit] of [
    [1000, 't'],
    [1, 'kg'],
    [1e-3, 'g'],
    [1e-6, 'mg'],
    [1e-9, 'µg'],
  ]) {
    if (rounded >= size) return `${significant(kilograms / size)} ${unit}`
  }
  return kilograms === 0 ? '0 g' : `${significant(kilograms / 1e-12)} ng`
}

/** From kilowatt hours. */
function formatEnergy(kilowattHours) {
  if (kilowattHours === undefined) return 'unmeasured'
  if (kilowattHours >= 1) return `${significant(kilowattHours)} kWh`
  const wattHours = kilowattHours * 1000
  return wattHours >= 0.1 ? `${significant(wattHours)} Wh` : `${significant(wattHours * 3600)} J`
}

function formatDuration(seconds) {
  if (seconds === undefined) return ''
  const whole = Math.round(seconds)
  if (Number(significant(seconds)) < 60) return `${significant(seconds)} s`
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`
  const minutes = Math.round(seconds / 60)
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

const short = (text, most) => (text.length <= most ? text : `${text.slice(0, most - 1)}…`)

const entities = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
/** Names are other people's. */
const escape = (text) => String(text).replace(/[&<>"']/g, (character) => entities[character])
