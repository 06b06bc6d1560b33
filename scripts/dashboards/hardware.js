import { at } from './panel.js'

/** @type {import('./panel.js').Dashboard} */
export const hardware = {
  uid: 'codecarbon-hardware',
  title: 'CodeCarbon / Hardware',
  description: 'Power by device, how each is read, and what a meter of the whole host sees besides.',
  from: 'now-1h',
  variables: [],
  panels: [
    {
      id: 12,
      title: 'Power by device',
      description: 'From the counters of energy, without PUE.',
      type: 'timeseries',
      look: 'stacked',
      unit: 'watt',
      width: 24,
      height: 9,
      range: { min: 0 },
      queries: [
        {
          expr: `sum by (job, instance, hw_id, hw_name) (rate(hw_energy_joules_total{${at}}[$__rate_interval]))`,
          legend: '{{instance}} {{hw_name}}',
        },
      ],
    },
    {
      id: 13,
      title: 'Graphics cards: power and utilisation',
      description: 'A card that draws power without being busy waits for its program.',
      type: 'timeseries',
      unit: 'watt',
      width: 12,
      height: 8,
      range: { min: 0 },
      queries: [
        {
          expr: `sum by (job, instance, hw_id) (hw_power_watts{${at}, hw_type="gpu"})`,
          legend: '{{instance}} {{hw_id}}',
        },
        {
          expr: `avg by (job, instance, hw_id) (hw_gpu_utilization_ratio{${at}})`,
          legend: '{{instance}} {{hw_id}} busy',
          unit: 'percentunit',
        },
      ],
    },
    {
      id: 14,
      title: 'Processors and memory',
      description: 'Power of the kinds of devices together.',
      type: 'timeseries',
      unit: 'watt',
      width: 12,
      height: 8,
      range: { min: 0 },
      queries: [
        {
          expr: `sum by (hw_type) (rate(hw_energy_joules_total{${at}, hw_type=~"cpu|memory"}[$__rate_interval]))`,
          legend: '{{hw_type}}',
        },
      ],
    },
    {
      id: 15,
      title: 'Host beyond its devices',
      description:
        'What a meter of the whole host sees besides the devices: fans, disks, boards, losses. Where there is such a meter.',
      type: 'timeseries',
      unit: 'watt',
      width: 12,
      height: 8,
      queries: [
        {
          expr: `sum by (job, instance) (rate(hw_host_energy_joules_total{${at}}[$__rate_interval])) - sum by (job, instance) (rate(hw_energy_joules_total{${at}}[$__rate_interval]))`,
          legend: '{{instance}}',
        },
        {
          expr: `sum by (job, instance, hw_name) (hw_host_power_watts{${at}})`,
          legend: '{{instance}} {{hw_name}}, whole host',
        },
      ],
    },
    {
      id: 16,
      title: 'Power as a share of the limit',
      description:
        'Of the power that a device is made for (TDP) or set to draw at most, where that is known.',
      type: 'timeseries',
      unit: 'percentunit',
      width: 12,
      height: 8,
      range: { min: 0 },
      queries: [
        {
          expr: `sum by (job, instance, hw_name) (hw_power_watts{${at}}) / sum by (job, instance, hw_name) (codecarbon_device_power_limit_watts{${at}})`,
          legend: '{{instance}} {{hw_name}}',
        },
      ],
    },
    {
      id: 17,
      title: 'How each device is read',
      description: 'A device that changes its method goes on in a series of its own.',
      type: 'state-timeline',
      unit: 'none',
      width: 12,
      height: 8,
      words: { 1: { text: 'read', color: 'green' } },
      queries: [
        {
          expr: `count by (job, instance, hw_name, codecarbon_method) (hw_power_watts{${at}}) > bool 0`,
          legend: '{{instance}} {{hw_name}}: {{codecarbon_method}}',
        },
      ],
    },
  ],
}
