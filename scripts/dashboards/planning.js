import { at, joulesPerKilowattHour } from './panel.js'

const located = `${at}, basis="location"`
const grams = `codecarbon_emissions_grams_total{${located}}`
const hours = Array.from({ length: 24 }, (_, hour) => hour)

/** @type {import('./panel.js').Dashboard} */
export const planning = {
  uid: 'codecarbon-planning',
  title: 'CodeCarbon / Carbon planning',
  description: 'When emissions come, what another hour would have saved, and how much of the budget is left.',
  from: 'now-7d',
  variables: ['budget'],
  panels: [
    {
      id: 25,
      title: 'Emissions by hour of day',
      description: 'Sums over the range by the hour (UTC) in which they came. Ranges of whole days compare.',
      type: 'bargauge',
      unit: 'massg',
      width: 24,
      height: 9,
      range: { min: 0 },
      // Each value is of the hour before it, so that of the hour from 3 to 4 stands at 4.
      queries: hours.map((hour) => ({
        expr: `sum_over_time((sum(increase(${grams}[1h])) and on () (hour() == ${(hour + 1) % 24}))[$__range:1h])`,
        legend: String(hour).padStart(2, '0'),
        isInstant: true,
      })),
    },
    {
      id: 26,
      title: 'At the best hour',
      description:
        'Emissions of the last 24 h, and those of the same energy at the lowest carbon intensity that each place had in these hours.',
      type: 'stat',
      unit: 'massg',
      width: 12,
      height: 6,
      queries: [
        { expr: `sum(increase(${grams}[24h]))`, legend: 'as it was', isInstant: true },
        {
          expr: `sum(sum by (job, instance) (increase(codecarbon_component_energy_joules_total{${at}}[24h])) / ${joulesPerKilowattHour} * on (job, instance) min by (job, instance) (min_over_time(codecarbon_carbon_intensity_grams_per_kWh{${located}}[24h])))`,
          legend: 'at the lowest intensity',
          isInstant: true,
        },
      ],
    },
    {
      id: 28,
      title: 'PUE and water',
      description: 'Power usage effectiveness that is counted with, and water for cooling over the range.',
      type: 'stat',
      unit: 'none',
      width: 12,
      height: 6,
      range: { decimals: 2 },
      queries: [
        {
          expr: `avg by (instance) (codecarbon_pue_ratio{${at}})`,
          legend: '{{instance}} PUE',
          isInstant: true,
        },
        {
          expr: `sum(increase(codecarbon_water_volume_L_total{${at}}[$__range]))`,
          legend: 'water',
          isInstant: true,
          unit: 'litre',
        },
      ],
    },
    {
      id: 27,
      title: 'Budget of 30 days',
      description:
        'What is left of the budget, in kg of CO2 equivalents, after the emissions of the last 30 days.',
      type: 'timeseries',
      unit: 'masskg',
      width: 12,
      height: 8,
      interval: '1h',
      queries: [
        { expr: `$budget - sum(increase(${grams}[30d])) / 1000`, legend: 'left' },
        { expr: `sum(increase(${grams}[30d])) / 1000`, legend: 'spent' },
      ],
    },
    {
      id: 38,
      title: 'Interval around the emissions',
      description: 'Low and high end over the range, by the estimates in them, and what is counted.',
      type: 'stat',
      unit: 'massg',
      width: 12,
      height: 8,
      queries: [
        {
          expr: `sum by (bound) (increase(codecarbon_emissions_bound_grams_total{${at}}[$__range]))`,
          legend: '{{bound}}',
          isInstant: true,
        },
        { expr: `sum(increase(${grams}[$__range]))`, legend: 'counted', isInstant: true },
      ],
    },
  ],
}
