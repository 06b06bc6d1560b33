import express from 'express'
import { expect, it } from 'vitest'
import { EmissionsTracker, type WorkScope } from '../../../src/index.ts'
import { carbon } from '../../../src/integrations/express/express.ts'
import { trackHttpServers } from '../../../src/integrations/http/http.ts'
import { fakeMachine } from '../../tracker/fake-machine.ts'
import { ask, serve } from '../http/serve.ts'

it('the energy of all requests and what none has used is that of the machine', async () => {
  const machine = fakeMachine()
  const tracker = new EmissionsTracker({ ...machine.options, outputMethods: [] }).start()
  const measured: WorkScope[] = []
  const beginScope: EmissionsTracker['beginScope'] = (options) => {
    const scope = tracker.beginScope(options)
    measured.push(scope)
    return scope
  }
  const app = express()
  app.use(carbon({ tracker: { beginScope } }))
  app.get('/users/:id', async (request, response) => {
    machine.use(Number(request.params.id))
    await new Promise(setImmediate)
    machine.use(1, 'dram')
    response.send('one')
  })
  const { url } = await serve(app)
  machine.use(5)
  await Promise.all([3, 4, 5].map((id) => ask(`${url}/users/${id}`)))
  await ask(`${url}/users/6`)
  const records = await Promise.all(measured.map((scope) => scope.settled()))
  machine.use(7)
  await tracker.stop()
  const ofRequests = records.reduce((sum, record) => sum + (record?.energyJoules ?? NaN), 0)
  const total = tracker.finalEmissionsData?.components.reduce(
    (sum, { energyJoules = 0 }) => sum + energyJoules,
    0,
  )
  const { cpu, ram } = tracker.unattributed?.energy ?? {}
  const ofNone = (cpu?.value ?? 0) + (ram?.value ?? 0)
  expect(records.map((record) => `${record?.name} ${record?.outcome}`)).toEqual(
    Array<string>(4).fill('GET /users/:id 2xx'),
  )
  expect(total).toBeCloseTo(34, 9)
  expect(ofRequests + ofNone).toBeCloseTo(34, 9)
})

it('a request that the app excludes, and another hook has begun, is in no figures', async () => {
  const machine = fakeMachine()
  const tracker = new EmissionsTracker({ ...machine.options, outputMethods: [] }).start()
  const tracking = trackHttpServers({ tracker })
  const app = express()
  app.use(carbon({ tracker, exclude: ['/health'] }))
  app.get('/health', (_request, response) => {
    machine.use(5)
    response.send('well')
  })
  const { url } = await serve(app)
  await ask(`${url}/health`)
  tracking.stop()
  await tracker.stop()
  expect(tracker.finalEmissionsData?.scopes).toEqual([])
  expect(tracker.unattributed?.energy.cpu?.value).toBeCloseTo(5, 9)
})

it('a request that still goes on when the run ends has the route that is known by then', async () => {
  const machine = fakeMachine()
  const tracker = new EmissionsTracker({ ...machine.options, outputMethods: [] }).start()
  const app = express()
  app.use(carbon({ tracker }))
  const begun = new Promise<() => void>((begin) => {
    app.get('/streams/:id', (_request, response) => {
      begin(() => void response.end())
    })
  })
  const { url } = await serve(app)
  const asked = ask(`${url}/streams/1`)
  const answer = await begun
  machine.use(5)
  await tracker.stop()
  expect(tracker.finalEmissionsData?.scopes).toMatchObject([
    { name: 'GET /streams/:id', outcomes: { unfinished: 1 } },
  ])
  answer()
  await asked
})
