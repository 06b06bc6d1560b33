// What a dashboard is described with: panels as data, without what Grafana's files need besides.

/**
 * @typedef {object} Query
 * @property {string} expr PromQL over the metrics of docs/metrics.md
 * @property {string} [legend]
 * @property {boolean} [isInstant] asked once, for the end of the range
 * @property {'heatmap' | 'table'} [format]
 * @property {boolean} [hasExemplars]
 * @property {string} [unit] where it differs from the panel's
 */

/**
 * @typedef {object} Panel
 * @property {number} id stays what it is: links and alerts point to it. Never given to another panel of the dashboard
 * @property {string} title
 * @property {string} description
 * @property {'stat' | 'gauge' | 'timeseries' | 'bargauge' | 'table' | 'heatmap' | 'state-timeline'} type
 * @property {string} unit of Grafana
 * @property {number} width of 24 columns
 * @property {number} height
 * @property {readonly Query[]} queries
 * @property {'stacked' | 'bars'} [look] of a time series
 * @property {{ readonly min?: number, readonly max?: number, readonly decimals?: number }} [range]
 * @property {Readonly<Record<string, { readonly text: string, readonly color: string }>>} [words] what values are called
 * @property {readonly (readonly [from: number, color: string])[]} [steps] colours from these values on, the first from below
 * @property {readonly string[]} [hidden] columns of a table
 * @property {string} [interval] shortest step
 */

/**
 * @typedef {object} Dashboard
 * @property {string} uid stays what it is
 * @property {string} title
 * @property {string} description
 * @property {string} from beginning of the time that is shown
 * @property {readonly ('component' | 'task' | 'budget')[]} variables besides the data source, job and instance
 * @property {readonly Panel[]} panels in the order in which they are read
 */

/** What every query is narrowed to. */
export const at = 'job=~"$job", instance=~"$instance"'

/** Energy over the range becomes kWh by it. */
export const joulesPerKilowattHour = '3600000'

/**
 * A sum that is 0 where it has no series while another one has. @param {string} expr @param {string} other has series wherever there are figures
 * at all, under the same labels
 */
export const orZero = (expr, other) => `(${expr} or 0 * ${other})`
