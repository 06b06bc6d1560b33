// Makes docs/configuration.md from the option table and docs/metrics.md from that of metrics. `--check` writes nothing and fails where a page is
// not what it would make.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { format, resolveConfig } from 'prettier'
import {
  goneOptions,
  optionAliases,
  optionGroups,
  optionSpecs,
  waitingOutputs,
} from '../build/config/option-table.js'
import { describeValues } from '../build/config/parse-value.js'
import { compatLabelNames, compatMetrics } from '../build/exporters/compat-metrics.js'
import { metricSpecs, prometheusName } from '../build/exporters/metrics.js'
import { toSnakeCase } from '../build/config/spelling.js'
import { root } from './ready.js'

for (const [name, text] of /** @type {const} */ ([
  ['docs/configuration.md', render()],
  ['docs/metrics.md', renderMetrics()],
])) {
  const path = join(root, name)
  const page = await format(text, { ...(await resolveConfig(path)), parser: 'markdown' })
  if (!process.argv.includes('--check')) {
    writeFileSync(path, page)
  } else if (readFileSync(path, 'utf8') !== page) {
    console.error(`${name} is not what the code says: run npm run docs`)
    process.exit(1)
  }
}

function renderMetrics() {
  const rows = metricSpecs.map(([, spec]) => {
    const { name, instrument, unit, help, attributes } = spec
    const labels = attributes.map((attribute) => `\`${attribute}\``).join(', ')
    return `| \`${name}\` | \`${prometheusName(spec)}\` | ${instrument} | \`${unit}\` | ${labels} | ${help.charAt(0).toUpperCase()}${help.slice(1)}. |`
  })
  return `<!-- Made by scripts/build-docs.js from src/exporters/metrics.ts. Do not edit. -->

# Metrics

The same figures under the names of OpenTelemetry and of Prometheus, which are those that the OpenTelemetry Collector makes of them. Dots in attributes are underscores in labels. What is unmeasured
has no series: it is absent, never zero. Counters begin with the run. At most 100 names of tasks have series of their own, by their first 128 characters, all others are \`_other\`, and those that nobody named \`_unnamed\`. So do 100 models
of calls. [What those may have used elsewhere](ai.md#tokens-and-what-they-take-elsewhere) is an estimate, told by metrics of its own with \`method="estimated"\`, and is in no other.

\`promtool check metrics\` has one complaint, about the capital letter of \`grams_per_kWh\`. It is what the Collector makes of the unit, and the only spelling of it that says what the number is: in
braces the unit would vanish from the name, and in joules nobody would know the figure again.

## One of several runs tells of the machine

Where several runs track one machine, one of them tells the series of the whole machine, so that a sum over all of them counts it once: those of devices (\`hw.*\`, and limits of power), and those of
components where the run tracks the machine (energy and its bounds, power, measured share, unattributed energy, emissions and their bounds, embodied emissions, water). The others leave these out
of the endpoint, OTLP, the Pushgateway, the file for node_exporter and the exporters for an SDK or registry of the program's own, and say so in the log and by \`codecarbon.host.reporter\`. Files, reports and
results always have everything. When the one that tells ends, is killed, or can open none of these outputs, another goes on, with counters that begin at what it has counted since.

\`host_reporter\` is \`auto\`, \`always\` or \`never\`. The first run tells, so give \`never\` to programs beside a \`codecarbon monitor\` that is to tell whenever it runs. Runs of one
\`host_reporter_group\` choose one among them; give one to each set of runs whose metrics go to a place of their own. On Linux all users of a network namespace take part, on Windows all of the machine,
elsewhere those of one user. Containers with a network of their own do not see each other.

## Groups of a Pushgateway

A push takes the place of all that stands in its group, and \`prometheus_delete_at_end\` deletes the whole of it. So each run has a group of its own while it runs: the job \`codecarbon\` and as instance the name of the
host, \`gpu-7\`, or where another run of the host pushes to the same gateway at the time, \`gpu-7:2\`, \`gpu-7:3\` and so on, the first that is free. A number is free again when its run has ended, also when it was
killed, and the next run that has it takes over what was left in its group: no more groups stay behind than runs went on at one time. Runs see each other as far as [those that choose who tells of the
machine](#one-of-several-runs-tells-of-the-machine), whatever their \`host_reporter_group\`.

A whole address of a group (\`http://gateway:9091/metrics/job/nightly/instance/a\`) counts as it stands: runs at the same time need one each.

## All metrics

| OpenTelemetry | Prometheus | instrument | unit | attributes | meaning |
| --- | --- | --- | --- | --- | --- |
${rows.join('\n')}

## Under the names of CodeCarbon for Python

With \`prometheus_compat_names\` the endpoint, the Pushgateway and the file for node_exporter have these as well, and so has an exporter of \`codecarbon/prometheus\` that is made with \`hasCompatNames\`, for dashboards made for CodeCarbon for Python. They are of the run, whoever tells of the
machine. Gauges hold what came between two reports (\`api_call_interval\` measurements, a flush, the end), so that a scrape that comes less often misses some of it: new dashboards are
better made of the metrics above. Labels of each are ${compatLabelNames.map((name) => `\`${name}\``).join(', ')}; CodeCarbon for Python fills the first alone.

| Prometheus | instrument | meaning |
| --- | --- | --- |
${compatMetrics.map(({ name, instrument, help }) => `| \`${name}\` | ${instrument} | ${help.charAt(0).toUpperCase()}${help.slice(1)}. |`).join('\n')}
`
}

function render() {
  const sections = Object.entries(optionGroups).map(([group, title]) => {
    const rows = optionSpecs.filter(([, spec]) => spec.group === group).map(toRow)
    return `## ${title}\n\n| option | values | default | meaning |\n| --- | --- | --- | --- |\n${rows.join('\n')}\n`
  })
  return `<!-- Made by scripts/build-docs.js from src/config/option-table.ts. Do not edit. -->

# Configuration

Each option can be given in several places; the later of these override the earlier ones, option by option:

1. its default
2. \`~/.codecarbon.config\`
3. \`./.codecarbon.config\`, in the working directory
4. a variable of the environment
5. the program's code, or a flag of the command line

The option \`measure_power_secs\` is called so in files, \`CODECARBON_MEASURE_POWER_SECS\` in the environment, \`measurePowerSecs\` in code and
\`--measure-power-secs\` on the command line. \`codecarbon config --show\` tells which values are in effect and where each comes from.

\`\`\`ini
[codecarbon]
# a comment: only where a line begins with # or ;
project_name = train 100 % # this is part of the name
measure_power_secs: 5
output_dir = "/data/carbon; old"
\`\`\`

Files are INI in UTF-8 with a section \`[codecarbon]\`. Keys may be in any case, with \`=\` or \`:\` behind them. Values are taken as they stand, without the
white space around them and without quotes around the whole; a value goes on in lines that are indented. Switches take true, yes, on, 1, false, no, off and
0 in files, variables and flags, and true or false in code. Lists are separated by commas.

A wrong value is an error that names the option, the place, the value and what was expected. It is a warning where something later overrides it, and where
a country, region, cloud region or zone is not known: the run goes on with the next larger place and says with which. An option
that there is not is an error in code and on the command line, and a warning with the nearest right name elsewhere, since files and variables may be
shared with other versions. A file in the working directory that says where figures are sent is named in a warning.

${sections.join('\n')}
## Older names

${[...optionAliases].map(([alias, name]) => `- \`${alias}\` is \`${toSnakeCase(name)}\` now, and still understood with a warning.`).join('\n')}
${[...goneOptions].map(([name, why]) => `- \`${name}\` is gone: ${why}. It changes nothing.`).join('\n')}

## Objects that only code can give

| option | type | meaning |
| --- | --- | --- |
| \`logger\` | \`Logger\` | where messages go instead of stderr: \`console\`, pino, winston, or anything with \`debug\`, \`info\`, \`warn\` and \`error\` |
| \`outputHandlers\` | \`OutputHandler[]\` | outputs of your own, with the hooks of CodeCarbon |
| \`exporters\` | \`Exporter[]\` | outputs of your own, with the whole report |

## Not in this version

Options and outputs that wait for something to come are understood, checked, and answered by a warning that nothing comes of them:

${waiting()
  .map(([what, names]) => `- ${what}: ${names.map((name) => `\`${name}\``).join(', ')}`)
  .join('\n')}
`
}

/** @param {(typeof optionSpecs)[number]} entry */
function toRow([name, spec]) {
  const fallback = [spec.default ?? ''].flat().join(',')
  const shown = spec.default === undefined ? '' : fallback === '' ? 'empty' : `\`${fallback}\``
  const unit = spec.unit === undefined ? '' : `, ${spec.unit}`
  const values = `${describeValues(spec)}${unit}`
  const notes = [
    spec.secret === true ? 'Never shown.' : '',
    spec.deprecated === undefined ? '' : `Use \`${toSnakeCase(spec.deprecated)}\`.`,
    spec.waitsFor === undefined ? '' : `Waits for ${spec.waitsFor}.`,
  ]
  return `| \`${toSnakeCase(name)}\` | ${values} | ${shown} | ${[`${spec.help.charAt(0).toUpperCase()}${spec.help.slice(1)}.`, ...notes].filter(Boolean).join(' ')} |`
}

/** @returns {[string, string[]][]} */
function waiting() {
  /** @type {Map<string, string[]>} */
  const byWhat = new Map()
  const add = (/** @type {string} */ what, /** @type {string} */ name) =>
    byWhat.set(what, [...(byWhat.get(what) ?? []), name])
  for (const [name, { waitsFor }] of optionSpecs) if (waitsFor !== undefined) add(waitsFor, toSnakeCase(name))
  for (const [method, waitsFor] of Object.entries(waitingOutputs)) add(waitsFor, `output_methods=${method}`)
  return [...byWhat]
}
