// A server with metrics for Prometheus, which it asks for once as Prometheus would: the energy of the machine, and of each kind of job.
//
//   node examples/metrics/prometheus.mjs
import { createServer } from 'node:http'
import { createHash } from 'node:crypto'
import { EmissionsTracker, withCarbon } from 'codecarbon'
import { createPrometheusExporter } from 'codecarbon/prometheus'

const prometheus = createPrometheusExporter()
const tracker = new EmissionsTracker({
  projectName: 'prometheus',
  logLevel: 'warning',
  outputMethods: [],
  measurePowerSecs: 1,
  exporters: [prometheus],
}).start()

const hash = (/** @type {number} */ rounds) => {
  let text = ''
  for (let round = 0; round < rounds; round += 1) text = createHash('sha512').update(text).digest('hex')
  return text
}
const thumbnail = withCarbon('thumbnail', hash, { tracker })
const report = withCarbon('report', hash, { tracker })
for (let round = 0; round < 3; round += 1) {
  thumbnail(50_000)
  report(300_000)
}
await tracker.flush()

const server = createServer((request, response) => {
  if (request.url === '/metrics') prometheus.handler(request, response)
  else response.writeHead(404).end()
})
await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)))
const address = server.address()
const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/metrics`
const text = await fetch(url).then((response) => response.text())
const wanted = /^(hw_energy_joules_total|codecarbon_task_energy_joules_(sum|count))\{/
console.log(
  text
    .split('\n')
    .filter((line) => wanted.test(line))
    .join('\n'),
)

await new Promise((resolve) => server.close(resolve))
await tracker.stop()
