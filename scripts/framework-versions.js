// Runs a small program of each supported framework, with the oldest and the newest version of each major that is supported, as its users would install them, and
// looks at what has been measured: names and outcomes of tasks, the energy of each, and that all of it adds up. Of the version before those it looks at the one
// message that says that it is left alone. Frameworks are kept outside of the repository.
//
//   npm run framework-versions -- [NAME…] [--node=24] [--write]
//
// `--node` tries them under that version of Node, too; `--write` puts what came out into docs/hooks.md, where all of them passed.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { frameworks } from './frameworks.js'
import { casesOf, install } from './framework-cases.js'
import { tryOut } from './framework-trial.js'
import { fetchNode, installPacked } from './newer-node.js'
import { makeReady } from './ready.js'
import { postgresPrograms, startPostgres, startRedis } from './servers.js'
import { writeVersionTable } from './version-table.js'

const { values: flags, positionals: names } = parseArgs({
  allowPositionals: true,
  options: {
    node: { type: 'string', multiple: true, default: [] },
    write: { type: 'boolean', default: false },
  },
})
/** More at one time would make a slow machine miss what is to come within a second. */
const trialsAtOnce = 3

if (flags.write && names.length > 0) throw new Error('--write tells of all frameworks: name none')
makeReady()
const chosen = frameworks.filter(({ name }) => names.length === 0 || names.includes(name))
const project = mkdtempSync(join(tmpdir(), 'codecarbon-frameworks-'))
/** @type {(() => Promise<void>)[]} */
const stops = []
try {
  const cases = (await manyAtOnce(chosen, 4, casesOf)).flat()
  await manyAtOnce(cases, 3, install)
  installPacked(project)
  const environment = await startServers(new Set(chosen.map(({ server }) => server)))
  const nodes = [process.execPath, ...flags.node.map(fetchNode)]
  const all = nodes.flatMap((node) => cases.map((one) => /** @type {const} */ ([one, node])))
  const trials = await manyAtOnce(all, trialsAtOnce, async ([one, program]) => {
    const trial = await tryOut(one, { project, environment, node: program })
    const { framework, version, node, result, problem } = trial
    const outcome = result === 'failed' ? `FAILED\n${problem}` : result
    console.log(`${`${framework.name} ${version}`.padEnd(22)} Node ${node.padEnd(9)} ${outcome}`)
    return trial
  })
  const failures = trials.filter(({ result }) => result === 'failed').length
  if (flags.write && failures === 0) await writeVersionTable(trials)
  console.log(`framework versions: ${trials.length - failures} passed, ${failures} failed`)
  process.exitCode = failures === 0 ? 0 : 1
} finally {
  for (const stop of stops) await stop()
  rmSync(project, { recursive: true, force: true })
}

/** @param {Set<string | undefined>} wanted @returns {Promise<Record<string, string>>} where programs find them */
async function startServers(wanted) {
  /** @type {Record<string, string>} */
  const environment = {}
  if (wanted.has('redis')) {
    const { port, stop } = await startRedis(join(project, 'redis'))
    stops.push(stop)
    environment['REDIS_PORT'] = String(port)
  }
  if (wanted.has('postgres')) {
    const programs = postgresPrograms()
    if (programs === undefined)
      throw new Error('pg-boss needs PostgreSQL: install Debian’s package postgresql')
    const { address, stop } = await startPostgres(programs)
    stops.push(stop)
    environment['DATABASE_URL'] = address
  }
  return environment
}

/**
 * Does something with each, several at one time. Results are in the order of what they are of.
 * @template T, R
 * @param {readonly T[]} all @param {number} count @param {(one: T) => Promise<R>} act @returns {Promise<R[]>}
 */
async function manyAtOnce(all, count, act) {
  /** @type {R[]} */
  const results = []
  const waiting = [...all.entries()]
  const take = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
      results[next[0]] = await act(next[1])
  }
  await Promise.all(Array.from({ length: count }, take))
  return results
}
