// Runs the program of a framework with one version of it, and looks at what was measured of that.
import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { folderOf } from './framework-cases.js'
import { fetchNode } from './newer-node.js'
import { root } from './ready.js'

/** @typedef {import('./framework-cases.js').Case} Case */
/** @typedef {'passed' | 'left alone' | 'fails itself' | 'failed'} Result */
/** @typedef {Case & { node: string, result: Result, problem: string }} Trial */
/** @typedef {{ code: unknown, stderr: string, figures: string }} Ended */

const programs = join(root, 'test/fixtures/programs')
const longestMs = 40_000

/**
 * By `import`, and by `require` where it can be loaded so.
 * @param {Case} one
 * @param {{ project: string, environment: Record<string, string>, node: string }} place a folder with this package installed, where servers are, and the program of Node
 * @returns {Promise<Trial>}
 */
export async function tryOut(one, { project, environment, node: wanted }) {
  const { framework, version } = one
  const { binary, version: node } = await nodeFor(one, wanted)
  const isToFail = await failsItself(one, node)
  const problems = []
  for (const load of framework.isRequired === false ? ['import'] : ['import', 'require']) {
    const folder = join(project, `${framework.name}@${version}-${load}-${node}`)
    layOut(one, folder)
    const args = isToFail ? [programOf(one)] : argumentsOf(one, folder)
    const ended = await run(binary, args, folder, { ...environment, LOAD: load })
    const problem = isToFail ? noFailureOf(ended) : problemOf(one, ended)
    if (problem !== undefined) problems.push(`  by ${load}: ${problem}`)
  }
  const good = isToFail ? 'fails itself' : one.isSupported ? 'passed' : 'left alone'
  return { ...one, node, result: problems.length === 0 ? good : 'failed', problem: problems.join('\n') }
}

/** @param {Case} one @param {string} node */
async function failsItself({ framework, version }, node) {
  const { isInRange } = await import('../build/integrations/register/version-range.js')
  const nodes = framework.failsItself?.[version]
  return nodes !== undefined && isInRange(node, nodes)
}

/** @param {Ended} ended */
const noFailureOf = ({ code }) => (code === 0 ? 'it was said to fail where nobody measures it' : undefined)

/** The one that is wanted, or the oldest line that the framework needs. @param {Case} one @param {string} wanted */
async function nodeFor(one, wanted) {
  const { isInRange } = await import('../build/integrations/register/version-range.js')
  const { framework, version: frameworkVersion } = one
  const { engines } = JSON.parse(
    readFileSync(join(folderOf(one), 'node_modules', framework.package, 'package.json'), 'utf8'),
  )
  const needed = (engines?.node ?? '>=0').replaceAll(/([<>=]) +/g, '$1')
  for (const find of [() => wanted, () => fetchNode('22'), () => fetchNode('24')]) {
    const binary = find()
    const version = await versionOf(binary)
    if (isInRange(version, needed)) return { binary, version }
  }
  throw new Error(`${framework.name} ${frameworkVersion} needs Node ${needed}`)
}

/** @param {string} binary @returns {Promise<string>} */
const versionOf = (binary) =>
  new Promise((resolve, reject) => {
    execFile(binary, ['-p', 'process.versions.node'], (error, stdout) => {
      if (error === null) resolve(stdout.trim())
      else reject(error)
    })
  })

/** A project of a user who has installed this version. @param {Case} one @param {string} folder */
function layOut(one, folder) {
  cpSync(join(programs, 'frameworks'), folder, { recursive: true })
  cpSync(join(programs, 'onnx-model.js'), join(folder, 'onnx-model.js'))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module", "private": true }')
  symlinkSync(join(folderOf(one), 'node_modules'), join(folder, 'node_modules'), 'junction')
  mkdirSync(join(folder, 'sys'))
}

/** @param {Case} one @param {string} folder @returns {string[]} */
function argumentsOf(one, folder) {
  const { isRunner, package: name } = one.framework
  return isRunner === true
    ? [join(folder, 'node_modules', name, `${name}.mjs`), 'run']
    : ['--import', 'codecarbon/register', programOf(one)]
}

/** @param {Case} one */
const programOf = ({ framework, isSupported }) =>
  (isSupported ? undefined : framework.leftAlone?.program) ?? `${framework.name}.js`

/** @param {string} binary @param {string[]} args @param {string} cwd @param {Record<string, string>} more @returns {Promise<Ended>} */
function run(binary, args, cwd, more) {
  const { NODE_OPTIONS: _, ...inherited } = process.env
  const own = Object.entries(inherited).filter(([name]) => !name.startsWith('CODECARBON_'))
  const figures = join(cwd, 'figures.prom')
  const env = {
    ...Object.fromEntries(own),
    ...more,
    HOME: cwd,
    // A machine that is estimated: whoever else has counters, and whatever this one has, is of no matter here.
    CODECARBON_SYSFS_PATH: join(cwd, 'sys'),
    CODECARBON_FORCE_CPU_POWER: '60',
    CODECARBON_FORCE_RAM_POWER: '10',
    CODECARBON_COUNTRY_ISO_CODE: 'FRA',
    CODECARBON_HOST_REPORTER: 'always',
    CODECARBON_LOG_LEVEL: 'warning',
    CODECARBON_PROMETHEUS_TEXTFILE: figures,
  }
  return new Promise((resolve) => {
    execFile(binary, args, { cwd, env, timeout: longestMs }, (error, stdout, stderr) => {
      let text = ''
      try {
        text = readFileSync(figures, 'utf8')
      } catch {
        // It was not measured at all: no figure is there.
      }
      resolve({
        code: error === null ? 0 : (error.signal ?? error.code),
        stderr: stderr + (error ? stdout : ''),
        figures: text,
      })
    })
  })
}

/** @param {Case} one @param {Ended} ended @returns {string | undefined} */
function problemOf({ framework, range, version, isSupported }, { code, stderr, figures }) {
  if (code !== 0) return `it ended with ${String(code)}: ${stderr}`
  const told = stderr.split('\n').filter((line) => /^\[?codecarbon|CodeCarbonWarning/.test(line))
  // The package that it tells of may be one that the framework consists of.
  const message = ` ${version} is not measured: the hook of ${framework.hook} knows ${range}`
  const expected = isSupported ? 0 : 1
  if (told.length !== expected || told.some((line) => !line.includes(message)))
    return `messages are not ${isSupported ? 'none' : `"${message}"`}: ${told.join('\n')}`
  return sumProblemOf(figures) ?? (isSupported ? taskProblemOf(figures, framework.tasks) : undefined)
}

/** Tasks that are part of no other, and what is unattributed, are all that was used. @param {string} figures */
function sumProblemOf(figures) {
  const sum = (/** @type {Series[]} */ series) => series.reduce((total, { value }) => total + value, 0)
  const used = sum(seriesOf(figures, 'codecarbon_component_energy_joules_total'))
  const rest = sum(seriesOf(figures, 'codecarbon_unattributed_energy_joules_total'))
  const tasks = seriesOf(figures, 'codecarbon_task_energy_joules_sum')
  const whole = sum(tasks.filter(({ labels }) => labels['nested'] !== 'true'))
  if (!(used > 0)) return 'nothing was measured'
  if (Math.abs(whole + rest - used) > 1e-9 * used)
    return `tasks (${whole} J) and unattributed energy (${rest} J) are not what was used (${used} J)`
  const empty = tasks.filter(({ value }) => !(value > 0))
  return empty.length === 0 ? undefined : `no energy: ${empty.map(({ labels }) => labels['task']).join()}`
}

/** @param {string} figures @param {Record<string, number>} expected */
function taskProblemOf(figures, expected) {
  /** @type {Record<string, number>} */
  const found = {}
  for (const { labels, value } of seriesOf(figures, 'codecarbon_task_energy_joules_count')) {
    const name = `${labels['task']} ${labels['outcome']}`
    found[name] = (found[name] ?? 0) + value
  }
  const [is, shouldBe] = [found, expected].map((tasks) =>
    Object.entries(tasks)
      .map(([name, count]) => `${name} × ${count}`)
      .toSorted((a, b) => a.localeCompare(b))
      .join(', '),
  )
  return is === shouldBe ? undefined : `tasks are ${is}, not ${shouldBe}`
}

/** @typedef {{ labels: Record<string, string>, value: number }} Series */

/** Of a metric, in the text format of Prometheus. @param {string} text @param {string} name @returns {Series[]} */
function seriesOf(text, name) {
  return [...text.matchAll(new RegExp(`^${name}\\{(.*)\\} (\\S+)$`, 'gm'))].map(([, labels = '', value]) => ({
    labels: Object.fromEntries([...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, word]) => [key, word])),
    value: Number(value),
  }))
}
