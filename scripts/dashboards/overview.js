import { comparisonTable } from '../../build/grid/tables.js'
import { at, joulesPerKilowattHour, orZero } from './panel.js'

const part = `${at}, component=~"$component"`
const energyInRange = `sum(increase(codecarbon_component_energy_joules_total{${part}, component!="overhead"}[$__range]))`
const measuredInRange = `sum(increase(codecarbon_component_energy_joules_total{${part}, method="measured"}[$__range]))`
const gramsInRange = `sum(increase(codecarbon_emissions_grams_total{${part}, basis="location"}[$__range]))`

/** @type {import('./panel.js').Dashboard} */
export const overview = {
  uid: 'codecarbon-overview',
  title: 'CodeCarbon / Overview',
  description: 'Power, energy and emissions now and over the range.',
  from: 'now-6h',
  variables: ['component'],
  panels: [
    {
      id: 1,
      title: 'Power now',
      description: 'Mean power over the last measurement, without PUE, of all instances chosen.',
      type: 'stat',
      unit: 'watt',
      width: 6,
      height: 5,
      queries: [
        {
          expr: `sum by (component) (codecarbon_component_power_watts{${part}})`,
          legend: '{{component}}',
          isInstant: true,
        },
      ],
    },
    {
      id: 2,
      title: 'Energy',
      description: 'Energy over the range, with PUE.',
      type: 'stat',
      unit: 'kwatth',
      width: 4,
      height: 5,
      range: { decimals: 3 },
      queries: [
        {
          expr: `sum(increase(codecarbon_component_energy_joules_total{${part}}[$__range])) / ${joulesPerKilowattHour}`,
          legend: 'energy',
          isInstant: true,
        },
      ],
    },
    {
      id: 3,
      title: 'Emissions',
      description:
        'CO2 equivalents over the range, with PUE, by the grid of the place and, where a contract is given, by the market.',
      type: 'stat',
      unit: 'massg',
      width: 4,
      height: 5,
      queries: [
        {
          expr: `sum by (basis) (increase(codecarbon_emissions_grams_total{${part}}[$__range]))`,
          legend: '{{basis}}',
          isInstant: true,
        },
      ],
    },
    {
      id: 5,
      title: 'Measured share',
      description: 'Share of the energy over the range that hardware counters told; the rest is estimated.',
      type: 'gauge',
      unit: 'percentunit',
      width: 4,
      height: 5,
      range: { min: 0, max: 1 },
      steps: [
        [0, 'red'],
        [0.5, 'yellow'],
        [0.8, 'green'],
      ],
      queries: [
        {
          expr: `${orZero(measuredInRange, energyInRange)} / ${energyInRange}`,
          legend: 'measured',
          isInstant: true,
        },
      ],
    },
    {
      id: 11,
      title: 'That is',
      description: `What the emissions over the range compare to: the way of an average US passenger car, and full charges of a smartphone. Source: ${titleOf('car_km')}.`,
      type: 'stat',
      unit: 'none',
      width: 6,
      height: 5,
      queries: [
        {
          expr: `${gramsInRange} / ${rowOf('car_km').value}`,
          legend: 'in a car',
          isInstant: true,
          unit: 'lengthkm',
        },
        {
          expr: `${gramsInRange} / ${rowOf('smartphone_charge').value}`,
          legend: 'smartphone charges',
          isInstant: true,
        },
      ],
    },
    {
      id: 4,
      title: 'Carbon intensity now',
      description:
        'What counts now, with its source and its age. The age of a yearly figure is that of the beginning of its year.',
      type: 'stat',
      unit: 'suffix: g/kWh',
      width: 24,
      height: 4,
      queries: [
        {
          expr: `avg by (basis, source) (codecarbon_carbon_intensity_grams_per_kWh{${at}})`,
          legend: '{{basis}}: {{source}}',
          isInstant: true,
        },
        {
          expr: `max by (basis, source) (time() - codecarbon_carbon_intensity_timestamp_seconds{${at}})`,
          legend: 'age, {{basis}}: {{source}}',
          isInstant: true,
          unit: 's',
        },
      ],
    },
    {
      id: 6,
      title: 'Power by component',
      description: 'From the counters of energy, so that no moment is missed; overhead is what PUE adds.',
      type: 'timeseries',
      look: 'stacked',
      unit: 'watt',
      width: 12,
      height: 8,
      range: { min: 0 },
      queries: [
        {
          expr: `sum by (component) (rate(codecarbon_component_energy_joules_total{${part}}[$__rate_interval]))`,
          legend: '{{component}}',
        },
      ],
    },
    {
      id: 7,
      title: 'Emissions per hour',
      description: 'CO2 equivalents, with PUE, each gram counted with the carbon intensity of its moment.',
      type: 'timeseries',
      unit: 'suffix: g/h',
      width: 12,
      height: 8,
      range: { min: 0 },
      queries: [
        {
          expr: `3600 * sum by (basis) (rate(codecarbon_emissions_grams_total{${part}}[$__rate_interval]))`,
          legend: '{{basis}}',
        },
      ],
    },
    {
      id: 8,
      title: 'Emissions since the runs began',
      description:
        'Operational, by the grid of the place, and embodied: the share of making the machines. Falls where a run ends.',
      type: 'timeseries',
      look: 'stacked',
      unit: 'massg',
      width: 12,
      height: 8,
      range: { min: 0 },
      queries: [
        {
          expr: `sum(codecarbon_emissions_grams_total{${at}, basis="location"})`,
          legend: 'operational',
        },
        { expr: `sum(codecarbon_embodied_emissions_grams_total{${at}})`, legend: 'embodied' },
      ],
    },
    {
      id: 9,
      title: 'Carbon intensity',
      description: 'Of the electricity that counts, by basis and source; the mean of the instances.',
      type: 'timeseries',
      unit: 'suffix: g/kWh',
      width: 12,
      height: 8,
      range: { min: 0 },
      queries: [
        {
          expr: `avg by (basis, source) (codecarbon_carbon_intensity_grams_per_kWh{${at}})`,
          legend: '{{basis}}: {{source}}',
        },
      ],
    },
    {
      id: 10,
      title: 'Runs',
      description: 'What runs at the end of the range, and where.',
      type: 'table',
      unit: 'none',
      width: 24,
      height: 8,
      hidden: ['Time', 'Value', '__name__'],
      queries: [{ expr: `codecarbon_run_info{${at}}`, format: 'table', isInstant: true }],
    },
  ],
}

/** @param {string} key */
function rowOf(key) {
  const row = comparisonTable().rows.find((row) => row.key === key)
  if (row === undefined) throw new Error(`data/comparisons.json has no row ${key}`)
  return row
}

/** @param {string} key */
function titleOf(key) {
  const { source } = rowOf(key)
  return comparisonTable().sources[source]?.title ?? source
}
