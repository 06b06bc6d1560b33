import { at, orZero } from './panel.js'

const task = `${at}, task=~"$task"`
const hosts = 'sum by (job, instance)'

/** @param {string} offset */
function sci(offset) {
  /** @param {string} selector */
  const increase = (selector) => `increase(${selector}[$__range]${offset})`
  const operational = `${hosts} (${increase(`codecarbon_emissions_grams_total{${at}, basis="location"}`)})`
  const embodied = `${hosts} (${increase(`codecarbon_embodied_emissions_grams_total{${at}}`)})`
  const units = `sum by (job, instance, unit_name) (${increase(`codecarbon_functional_units_total{${at}}`)})`
  return `(${operational} + ${orZero(embodied, operational)}) / on (job, instance) group_right () (${units} > 0)`
}

const energy = `sum(rate(codecarbon_component_energy_joules_total{${at}, component!="overhead"}[$__rate_interval]))`

/** @param {number} share */
const quantile = (share) =>
  `histogram_quantile(${share}, sum by (le) (rate(codecarbon_task_energy_joules_bucket{${task}}[$__rate_interval])))`

/** @type {import('./panel.js').Dashboard} */
export const tasks = {
  uid: 'codecarbon-tasks',
  title: 'CodeCarbon / Jobs and tasks',
  description: 'Energy by task, emissions per functional unit, and what belongs to no task.',
  from: 'now-6h',
  variables: ['task'],
  panels: [
    {
      id: 18,
      title: 'Ten tasks of most energy',
      description:
        'Energy over the range of the tasks, jobs and requests that ended in it and are no part of others, by name, with PUE.',
      type: 'bargauge',
      unit: 'joule',
      width: 12,
      height: 9,
      range: { min: 0 },
      queries: [
        {
          expr: `topk(10, sum by (task) (increase(codecarbon_task_energy_joules_sum{${task}, nested=""}[$__range])))`,
          legend: '{{task}}',
          isInstant: true,
        },
      ],
    },
    {
      id: 19,
      title: 'Energy per task',
      description: 'How many tasks took how much, with the traces that were active where they ended.',
      type: 'heatmap',
      unit: 'joule',
      width: 12,
      height: 9,
      queries: [
        {
          expr: `sum by (le) (increase(codecarbon_task_energy_joules_bucket{${task}}[$__rate_interval]))`,
          legend: '{{le}}',
          format: 'heatmap',
          hasExemplars: true,
        },
      ],
    },
    {
      id: 20,
      title: 'Energy per task: median and 95th percentile',
      description: 'From the buckets of the histogram.',
      type: 'timeseries',
      unit: 'joule',
      width: 12,
      height: 8,
      range: { min: 0 },
      queries: [
        { expr: quantile(0.5), legend: 'median', hasExemplars: true },
        { expr: quantile(0.95), legend: '95 %' },
      ],
    },
    {
      id: 36,
      title: 'Time and emissions per task',
      description: 'Means over the tasks that ended.',
      type: 'timeseries',
      unit: 's',
      width: 12,
      height: 8,
      range: { min: 0 },
      queries: [
        {
          expr: `sum by (task) (rate(codecarbon_task_duration_seconds_sum{${task}}[$__rate_interval])) / sum by (task) (rate(codecarbon_task_duration_seconds_count{${task}}[$__rate_interval]))`,
          legend: '{{task}}',
        },
        {
          expr: `sum by (task) (rate(codecarbon_task_emissions_grams_sum{${task}, basis="location"}[$__rate_interval])) / sum by (task) (rate(codecarbon_task_emissions_grams_count{${task}, basis="location"}[$__rate_interval]))`,
          legend: '{{task}}, emissions',
          unit: 'massg',
        },
      ],
    },
    {
      id: 38,
      title: 'Energy of jobs and requests by outcome',
      description:
        'What those used that ended well, and what was spent on those that failed; those that are part of others are left out.',
      type: 'timeseries',
      unit: 'watt',
      width: 12,
      height: 8,
      range: { min: 0 },
      queries: [
        {
          expr: `sum by (kind, outcome) (rate(codecarbon_task_energy_joules_sum{${task}, nested="", kind!=""}[$__rate_interval]))`,
          legend: '{{kind}} {{outcome}}',
        },
      ],
    },
    {
      id: 39,
      title: 'Energy of jobs by queue',
      description: 'Of those that a job runner takes from a queue.',
      type: 'timeseries',
      unit: 'watt',
      width: 12,
      height: 8,
      range: { min: 0 },
      queries: [
        {
          expr: `sum by (queue) (rate(codecarbon_task_energy_joules_sum{${task}, nested="", queue!=""}[$__rate_interval]))`,
          legend: '{{queue}}',
        },
      ],
    },
    {
      id: 21,
      title: 'Software Carbon Intensity',
      description:
        'Grams of CO2 equivalents, operational and embodied, per functional unit that was counted in the range (ISO/IEC 21031), beside that of the run so far.',
      type: 'stat',
      unit: 'massg',
      width: 8,
      height: 6,
      queries: [
        { expr: sci(''), legend: '{{instance}} per {{unit_name}}', isInstant: true },
        {
          expr: `avg by (job, instance, unit_name) (codecarbon_sci{${at}})`,
          legend: '{{instance}} per {{unit_name}}, run so far',
          isInstant: true,
        },
      ],
    },
    {
      id: 22,
      title: 'Software Carbon Intensity against a week ago',
      description: 'That of the range divided by that of the same time a week before: below 1 is better.',
      type: 'stat',
      unit: 'none',
      width: 8,
      height: 6,
      range: { decimals: 2 },
      steps: [
        [0, 'green'],
        [1, 'yellow'],
        [1.2, 'red'],
      ],
      queries: [
        {
          expr: `${sci('')} / (${sci(' offset 1w')})`,
          legend: '{{instance}} per {{unit_name}}',
          isInstant: true,
        },
      ],
    },
    {
      id: 23,
      title: 'Energy of no task',
      description: 'Share of the energy that was used while no task was running.',
      type: 'timeseries',
      unit: 'percentunit',
      width: 8,
      height: 6,
      range: { min: 0, max: 1 },
      queries: [
        {
          expr: `sum(rate(codecarbon_unattributed_energy_joules_total{${at}}[$__rate_interval])) / ${energy}`,
          legend: 'no task',
        },
      ],
    },
    {
      id: 37,
      title: 'Share of the tracked processes',
      description:
        'Of the energy of the machine, where a process tree is followed by the run that tells of the machine.',
      type: 'timeseries',
      unit: 'percentunit',
      width: 12,
      height: 6,
      range: { min: 0, max: 1 },
      queries: [
        {
          expr: `${hosts} (rate(codecarbon_process_energy_joules_total{${at}}[$__rate_interval])) / ${hosts} (rate(codecarbon_component_energy_joules_total{${at}, component!="overhead"}[$__rate_interval]))`,
          legend: '{{instance}}',
        },
      ],
    },
    {
      id: 24,
      title: 'Energy per CPU second',
      description: "Of the tracked processes: what a second of the processors' time costs them.",
      type: 'timeseries',
      unit: 'joule',
      width: 12,
      height: 6,
      range: { min: 0 },
      queries: [
        {
          expr: `${hosts} (rate(codecarbon_process_energy_joules_total{${at}}[$__rate_interval])) / (${hosts} (rate(codecarbon_process_cpu_seconds_total{${at}}[$__rate_interval])) > 0)`,
          legend: '{{instance}}',
        },
      ],
    },
    {
      id: 45,
      title: 'Tokens of model calls',
      description: 'Per second, of models behind an API, where their provider tells them.',
      type: 'timeseries',
      unit: 'short',
      width: 8,
      height: 7,
      range: { min: 0 },
      queries: [
        {
          expr: `sum by (gen_ai_request_model, gen_ai_token_type) (rate(codecarbon_model_call_tokens_total{${at}}[$__rate_interval]))`,
          legend: '{{gen_ai_request_model}} {{gen_ai_token_type}}',
        },
      ],
    },
    {
      id: 46,
      title: 'Models elsewhere: estimated energy',
      description:
        'Over the range, by the factor that the program chose. An estimate, and no part of the energy in any other panel.',
      type: 'bargauge',
      unit: 'joule',
      width: 8,
      height: 7,
      range: { min: 0 },
      queries: [
        {
          expr: `topk(10, sum by (gen_ai_provider_name, gen_ai_request_model) (increase(codecarbon_model_call_remote_energy_joules_total{${at}, method="estimated"}[$__range])))`,
          legend: '{{gen_ai_provider_name}} {{gen_ai_request_model}}',
          isInstant: true,
        },
      ],
    },
    {
      id: 47,
      title: 'Models elsewhere: estimated emissions',
      description:
        'Over the range, of calls whose factor has a carbon intensity. An estimate, and no part of the emissions in any other panel.',
      type: 'bargauge',
      unit: 'massg',
      width: 8,
      height: 7,
      range: { min: 0 },
      queries: [
        {
          expr: `topk(10, sum by (gen_ai_provider_name, gen_ai_request_model) (increase(codecarbon_model_call_remote_emissions_grams_total{${at}, method="estimated"}[$__range])))`,
          legend: '{{gen_ai_provider_name}} {{gen_ai_request_model}}',
          isInstant: true,
        },
      ],
    },
  ],
}
