// What measuring costs a server at saturation, against the bare server and against a histogram of prom-client. Every variant is a process of its own; they take
// turns in many short rounds, so that a change of the machine's speed meets all of them. `node bench/http.js [ROUNDS] [FRAMEWORK…]`
import { fork } from 'node:child_process'
import { fileURLToPath, pathToFileURL } from 'node:url'
import autocannon from 'autocannon'
import { median } from './measure.js'

const variants = ['bare', 'prom', 'layer', 'ours', 'current']
const secondsEach = 2
const connections = 20

/** @typedef {{ variant: string, child: import('node:child_process').ChildProcess, url: string, rates: number[], cpu: number[] }} Server */

/** @param {readonly string[]} frameworks @param {number} rounds @returns {Promise<import('./measure.js').Row[]>} */
export async function benchHttp(frameworks = ['express', 'fastify'], rounds = 15) {
  /** @type {import('./measure.js').Row[]} */
  const rows = []
  for (const framework of frameworks) {
    const servers = await Promise.all(variants.map((variant) => start(framework, variant)))
    try {
      for (const server of servers) await fire(server)
      for (const server of servers) Object.assign(server, { rates: [], cpu: [] })
      for (let round = 0; round < rounds; round += 1)
        for (const server of round % 2 === 0 ? servers : servers.toReversed()) await fire(server)
      rows.push(...compareWithBare(framework, servers))
    } finally {
      for (const { child } of servers) child.kill('SIGKILL')
    }
  }
  return rows
}

/** @param {string} framework @param {readonly Server[]} servers */
function compareWithBare(framework, [bare, ...others]) {
  return others.map(({ variant, rates, cpu }) => {
    const rateRatio = median(rates.map((rate, round) => rate / (bare?.rates[round] ?? NaN)))
    const cpuRatio = median(cpu.map((time, round) => time / (bare?.cpu[round] ?? NaN)))
    return {
      what: `${framework}, ${variant}: requests/s; bare; CPU time a request`,
      ours: median(rates).toFixed(0),
      base: median(bare?.rates ?? []).toFixed(0),
      result: `${percent(rateRatio)}, CPU ${percent(cpuRatio)}`,
      goal: variant === 'ours' ? '>= -3 %' : '',
    }
  })
}

/** @param {number} ratio */
const percent = (ratio) => `${ratio >= 1 ? '+' : ''}${((ratio - 1) * 100).toFixed(1)} %`

/** @param {string} framework @param {string} variant @returns {Promise<Server>} */
async function start(framework, variant) {
  const child = fork(fileURLToPath(new URL('http/server.js', import.meta.url)), [framework, variant])
  const { port } = await answer(child)
  return { variant, child, url: `http://127.0.0.1:${port}/users/42`, rates: [], cpu: [] }
}

/** @param {Server} server */
async function fire(server) {
  const before = await cpuTime(server.child)
  const { requests, non2xx } = await autocannon({ url: server.url, connections, duration: secondsEach })
  if (non2xx > 0 || requests.total === 0) throw new Error(`${server.variant}: ${non2xx} bad answers`)
  server.rates.push(requests.total / secondsEach)
  server.cpu.push(((await cpuTime(server.child)) - before) / requests.total)
}

/** Microseconds. @param {import('node:child_process').ChildProcess} child */
async function cpuTime(child) {
  const told = answer(child)
  child.send('cpu')
  const { user, system } = (await told).cpu
  return user + system
}

/** @param {import('node:child_process').ChildProcess} child @returns {Promise<{ port: number, cpu: NodeJS.CpuUsage }>} */
const answer = (child) =>
  new Promise((resolve, reject) => {
    const fail = (/** @type {number | null} */ code) => reject(new Error(`the server ended with ${code}`))
    child.once('exit', fail)
    child.once('message', (message) => {
      child.off('exit', fail)
      resolve(/** @type {never} */ (message))
    })
  })

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [rounds = '15', ...frameworks] = process.argv.slice(2)
  const rows = await benchHttp(frameworks.length > 0 ? frameworks : undefined, Number(rounds))
  console.log(`node ${process.version}; medians of ${rounds} rounds`)
  for (const { what, ours, base, result, goal } of rows)
    console.log(`${what.padEnd(60)} ${ours.padStart(7)} ${base.padStart(7)}  ${result.padEnd(24)} ${goal}`)
}
