import { at } from './panel.js'

/** @type {import('./panel.js').Dashboard} */
export const health = {
  uid: 'codecarbon-health',
  title: 'CodeCarbon / Exporter health',
  description: 'Whether the figures can be trusted, and what it costs to have them.',
  from: 'now-6h',
  variables: [],
  panels: [
    {
      id: 29,
      title: 'Sources',
      description: 'Whether each component is told at the moment, and by whom.',
      type: 'state-timeline',
      unit: 'none',
      width: 12,
      height: 8,
      words: { 0: { text: 'unmeasured', color: 'red' }, 1: { text: 'told', color: 'green' } },
      queries: [
        {
          expr: `min by (job, instance, component, source) (codecarbon_source_up{${at}})`,
          legend: '{{instance}} {{component}}: {{source}}',
        },
      ],
    },
    {
      id: 30,
      title: 'Problems',
      description: 'New problems beside the figures, by subject and code.',
      type: 'timeseries',
      look: 'bars',
      unit: 'none',
      width: 12,
      height: 8,
      range: { min: 0 },
      queries: [
        {
          expr: `sum by (source, reason) (increase(codecarbon_source_errors_total{${at}}[$__rate_interval]))`,
          legend: '{{source}}: {{reason}}',
        },
      ],
    },
    {
      id: 32,
      title: 'Gaps',
      description: 'Time for which the energy of a source is unknown.',
      type: 'timeseries',
      look: 'bars',
      unit: 's',
      width: 12,
      height: 8,
      range: { min: 0 },
      queries: [
        {
          expr: `sum by (job, instance, source) (increase(codecarbon_gap_seconds_total{${at}}[$__rate_interval]))`,
          legend: '{{instance}} {{source}}',
        },
      ],
    },
    {
      id: 31,
      title: 'Wraps of counters',
      description:
        'How often counters started again from zero: seen to, or perhaps unread, which makes the interval of their energy wider.',
      type: 'timeseries',
      look: 'bars',
      unit: 'none',
      width: 12,
      height: 8,
      range: { min: 0 },
      queries: [
        {
          expr: `sum by (job, instance, certainty) (increase(codecarbon_counter_wraps_total{${at}}[$__rate_interval]))`,
          legend: '{{instance}} {{certainty}}',
        },
      ],
    },
    {
      id: 39,
      title: 'Failures of outputs',
      description: 'By output; the run goes on.',
      type: 'timeseries',
      look: 'bars',
      unit: 'none',
      width: 12,
      height: 8,
      range: { min: 0 },
      queries: [
        {
          expr: `sum by (job, instance, exporter) (increase(codecarbon_exporter_errors_total{${at}}[$__rate_interval]))`,
          legend: '{{instance}} {{exporter}}',
        },
      ],
    },
    {
      id: 33,
      title: 'Age of the last measurement',
      description: 'How long before it was asked the hardware was read.',
      type: 'timeseries',
      unit: 's',
      width: 12,
      height: 8,
      range: { min: 0 },
      queries: [
        {
          expr: `max by (job, instance) (timestamp(codecarbon_last_tick_timestamp_seconds{${at}}) - codecarbon_last_tick_timestamp_seconds{${at}})`,
          legend: '{{instance}}',
        },
        {
          expr: `max by (job, instance) (codecarbon_measurement_interval_seconds{${at}})`,
          legend: '{{instance}}, asked for',
        },
      ],
    },
    {
      id: 41,
      title: 'Duration of measurements and scrapes',
      description: 'What nineteen of twenty stay below, in steps of the buckets.',
      type: 'timeseries',
      unit: 's',
      width: 12,
      height: 8,
      range: { min: 0 },
      queries: [
        {
          expr: `histogram_quantile(0.95, sum by (job, instance, le) (rate(codecarbon_tick_duration_seconds_bucket{${at}}[$__rate_interval])))`,
          legend: '{{instance}}, measurement',
        },
        {
          expr: `histogram_quantile(0.95, sum by (job, instance, le) (rate(codecarbon_scrape_duration_seconds_bucket{${at}}[$__rate_interval])))`,
          legend: '{{instance}}, scrape',
        },
      ],
    },
    {
      id: 34,
      title: 'CPU time of the meter itself',
      description: 'Of reading the hardware and keeping the books, in shares of one core.',
      type: 'timeseries',
      unit: 'percentunit',
      width: 12,
      height: 8,
      range: { min: 0 },
      queries: [
        {
          expr: `sum by (job, instance) (rate(codecarbon_self_cpu_seconds_total{${at}}[$__rate_interval]))`,
          legend: '{{instance}}',
        },
      ],
    },
    {
      id: 42,
      title: 'Energy of the meter itself',
      description: "By that time's share of the CPU time, in shares of the energy of the processors.",
      type: 'timeseries',
      unit: 'percentunit',
      width: 12,
      height: 8,
      range: { min: 0 },
      queries: [
        {
          expr: `sum by (job, instance) (rate(codecarbon_self_energy_joules_total{${at}}[$__rate_interval])) / sum by (job, instance) (rate(codecarbon_component_energy_joules_total{${at}, component="cpu"}[$__rate_interval]))`,
          legend: '{{instance}}',
        },
      ],
    },
    {
      id: 43,
      title: 'Memory of the process that measures',
      description: 'Resident, with the program that the meter is part of.',
      type: 'timeseries',
      unit: 'bytes',
      width: 12,
      height: 8,
      range: { min: 0 },
      queries: [
        {
          expr: `sum by (job, instance) (codecarbon_self_memory_bytes{${at}})`,
          legend: '{{instance}}',
        },
      ],
    },
    {
      id: 44,
      title: 'Who tells of the machine',
      description:
        'Of several runs on one machine one tells the series of the whole machine, so that sums count it once.',
      type: 'state-timeline',
      unit: 'none',
      width: 12,
      height: 8,
      words: { 0: { text: 'another run', color: 'blue' }, 1: { text: 'this run', color: 'green' } },
      queries: [
        {
          expr: `min by (job, instance, series) (codecarbon_host_reporter{${at}})`,
          legend: '{{instance}} {{series}}',
        },
      ],
    },
    {
      id: 35,
      title: 'Series',
      description: 'How many each instance has.',
      type: 'timeseries',
      unit: 'none',
      width: 12,
      height: 8,
      range: { min: 0 },
      queries: [
        {
          expr: `count by (job, instance) ({__name__=~"(codecarbon|hw)_.+", ${at}})`,
          legend: '{{instance}}',
        },
      ],
    },
    {
      id: 40,
      title: 'Versions',
      description: 'What runs where.',
      type: 'table',
      unit: 'none',
      width: 12,
      height: 8,
      hidden: ['Time', 'Value', '__name__'],
      queries: [{ expr: `codecarbon_build_info{${at}}`, format: 'table', isInstant: true }],
    },
  ],
}
