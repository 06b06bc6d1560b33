// A server of one kind, in a process of its own: node bench/http/server.js FRAMEWORK VARIANT. Tells its port, and its CPU time when it is asked.
import { setUpMeasuring } from './variants.js'

const [framework = 'express', variant = 'bare'] = process.argv.slice(2)
const greeting = { hello: 'world' }

const listen = framework === 'express' ? express : framework === 'fastify' ? fastify : nodeHttp
const port = await listen(await setUpMeasuring(framework, variant))
process.on('message', () => process.send?.({ cpu: process.cpuUsage() }))
process.send?.({ port })

/** @typedef {import('./variants.js').Measuring} Measuring */

/** @param {Measuring} measuring @returns {Promise<number>} */
async function express({ middleware }) {
  const { default: createApp } = await import('express')
  const app = createApp()
  if (middleware !== undefined) app.use(middleware)
  app.get('/users/:id', (request, response) => {
    response.json({ ...greeting, id: request.params.id })
  })
  return new Promise((resolve) => {
    const server = app.listen(0, '127.0.0.1', () => resolve(portOf(server.address())))
  })
}

/** @param {Measuring} measuring */
async function fastify({ plugin }) {
  const { default: createApp } = await import('fastify')
  const app = createApp()
  if (plugin !== undefined) await app.register(plugin)
  app.get('/users/:id', (request, reply) => {
    reply.send({ ...greeting, id: /** @type {{ id: string }} */ (request.params).id })
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  return portOf(app.server.address())
}

/** @returns {Promise<number>} */
async function nodeHttp() {
  const { createServer } = await import('node:http')
  return new Promise((resolve) => {
    const server = createServer((request, response) => {
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ ...greeting, id: request.url }))
    }).listen(0, '127.0.0.1', () => resolve(portOf(server.address())))
  })
}

/** @param {import('node:net').AddressInfo | string | null} address */
function portOf(address) {
  return typeof address === 'object' && address !== null ? address.port : 0
}
