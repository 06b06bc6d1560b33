import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { itIsAnExporter } from '../../contract/exporter.ts'
import { systemClock } from '../../../src/core/clock.ts'
import { createApiExporter } from '../../../src/exporters/api/api-exporter.ts'
import { openSpool } from '../../../src/exporters/api/spool.ts'
import { fakeClock } from '../../fixtures/fake-clock.ts'
import { startFakeApi } from '../../fixtures/codecarbon-api/server.ts'
import { temporaryFolder } from '../../fixtures/programs/temporary-folder.ts'
import { createRig, expectAll, filesIn, until } from './rig.ts'

itIsAnExporter('the CodeCarbon API, offline,', () => {
  const folder = temporaryFolder()
  const exporter = createApiExporter({
    endpoint: 'http://api.test',
    experimentId: '5b0fa12a-3dd7-45bb-9766-cc326314d9f1',
    spool: openSpool({ folder, nowMs: Date.now, onGivenUp: () => undefined }),
    clock: systemClock,
    openCourier: undefined,
    log: () => undefined,
  })
  return {
    exporter,
    delivered: () => filesIn(folder).map((name) => name.replace(/^\d+-|\.jsonl$/g, '')),
  }
})

describe('a run that goes to the CodeCarbon API', () => {
  it('is made with its first slice, and has all of them in the end, to the last bit', async () => {
    const api = await startFakeApi()
    const rig = createRig(api)
    expect(api.asked).toEqual([])
    for (const seconds of [15.0013, 14.99, 0.2, 0.31, 120.7]) await rig.report('flush', seconds)
    await rig.report('stop', 0.004)
    await rig.exporter.close?.()
    expect(rig.messages).toEqual([])
    expect(api.asked.every(({ status }) => status === 201)).toBe(true)
    expect(api.store.runs).toHaveLength(1)
    expectAll(api, rig.total)
    expect(rig.files()).toEqual([])
  })

  it.each([0.004, 0.3, 0.9, 1.2, 1.5, 2.49])('of %s s is told as whole seconds', async (seconds) => {
    const api = await startFakeApi()
    const rig = createRig(api)
    await rig.report('stop', seconds)
    expectAll(api, rig.total)
  })

  it('ends with its time where nothing came since the last slice', async () => {
    const api = await startFakeApi()
    const rig = createRig(api)
    await rig.report('flush', 20)
    await rig.report('stop', 0)
    await rig.exporter.close?.()
    expectAll(api, rig.total)
    expect(rig.files()).toEqual([])
  })

  it('sends live slices in the background, and keeps nobody waiting', async () => {
    const api = await startFakeApi()
    api.fault = () => 'silence'
    const rig = createRig(api)
    await rig.report('live')
    await until(() => api.asked.length === 1)
    expect(rig.messages).toEqual([])
    await rig.exporter.close?.()
  })

  it('sends the moments of the measurements, in their order where the clock was set back', async () => {
    const api = await startFakeApi()
    const clock = fakeClock()
    const rig = createRig(api, { clock })
    await rig.report('flush')
    const before = clock.now().wallMs
    clock.advance(15)
    await rig.report('flush')
    clock.sleep(-3600)
    await rig.report('stop')
    const times = api.store.emissions.map((emission) => Date.parse(`${String(emission['timestamp'])}Z`))
    expect(times).toEqual([before, before + 15_000, before + 15_001])
  })

  it.each([
    [3_600_000, 'the clock of this machine is 60 minutes behind that of the CodeCarbon API at'],
    [-90_000_000, 'the clock of this machine is 25 hours ahead of that of the CodeCarbon API at'],
    [60_000, undefined],
  ])('comes from a machine whose clock is said to be wrong where it is (%s ms)', async (aheadMs, message) => {
    const api = await startFakeApi()
    api.aheadMs = aheadMs
    const rig = createRig(api)
    await rig.report('flush')
    await rig.report('stop')
    expect(rig.messages).toEqual(message === undefined ? [] : [expect.stringContaining(message) as string])
    expectAll(api, rig.total)
  })

  it('is told with the key in a header, and with nothing of it anywhere else', async () => {
    const api = await startFakeApi()
    api.fault = ({ path }) => (path === '/emissions' ? 403 : undefined)
    const rig = createRig(api)
    await rig.report('stop').catch((error: unknown) => rig.messages.push(String(error)))
    await rig.exporter.close?.()
    expect(api.asked[0]?.headers['x-api-token']).toBe(api.store.apiKey)
    const [file = ''] = rig.files()
    const all = [
      readFileSync(join(rig.spool.folder, file), 'utf8'),
      ...rig.messages,
      ...api.asked.map(({ path }) => path),
    ]
    expect(all.join('\n')).not.toContain(api.store.apiKey)
  })

  it('needs an experiment that can be one', async () => {
    const api = await startFakeApi()
    const exporter = createApiExporter({
      endpoint: api.url,
      experimentId: 'mine',
      spool: openSpool({ folder: temporaryFolder(), nowMs: Date.now, onGivenUp: () => undefined }),
      clock: systemClock,
      openCourier: undefined,
      log: () => undefined,
    })
    expect(() => exporter.open?.(() => expect.fail('nobody looks'))).toThrow('experiment_id is no UUID')
  })

  it('is sent all the same where the disk keeps nothing, which is said once', async () => {
    const api = await startFakeApi()
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'api'), 'no folder')
    const rig = createRig(api, { folder })
    await rig.report('flush')
    await rig.report('flush')
    await rig.report('stop')
    await rig.exporter.close?.()
    expectAll(api, rig.total)
    expect(rig.messages).toEqual([expect.stringContaining('cannot be kept in') as string])
  })

  it('keeps what comes once the disk takes it again', async () => {
    const api = await startFakeApi()
    const folder = temporaryFolder()
    mkdirSync(join(folder, 'api'))
    const rig = createRig(api, { folder, isOffline: true })
    await rig.report('flush')
    await rig.report('stop')
    await rig.exporter.close?.()
    const [file = ''] = rig.files()
    const lines = readFileSync(join(rig.spool.folder, file), 'utf8').trim().split('\n')
    expect(lines).toHaveLength(3)
  })

  it('that is offline waits for another one, which delivers it', async () => {
    const api = await startFakeApi()
    const folder = temporaryFolder()
    const rig = createRig(api, { folder, isOffline: true, whyNot: 'offline makes no connection' })
    for (const reason of ['live', 'flush', 'stop'] as const) await rig.report(reason, 3.3)
    await rig.exporter.close?.()
    expect(rig.messages).toEqual([expect.stringContaining('to send it: codecarbon api flush') as string])
    expect(api.asked).toEqual([])
    const next = createRig(api, { folder, runId: 'run-2' })
    await next.report('stop')
    await next.exporter.close?.()
    expect(next.messages).toEqual([])
    expectAll(api, next.total)
    expectAll(api, rig.total, 1)
    expect(rig.files()).toEqual([])
  })

  it('goes nowhere but to the address that it was meant for', async () => {
    const [api, elsewhere] = [await startFakeApi(), await startFakeApi()]
    const folder = temporaryFolder()
    const rig = createRig(api, { folder, isOffline: true })
    await rig.report('stop')
    await rig.exporter.close?.()
    const next = createRig(elsewhere, { folder, runId: 'run-2' })
    await next.report('stop')
    await next.exporter.close?.()
    expect(elsewhere.store.runs).toHaveLength(1)
    expect(rig.files()).toHaveLength(1)
  })

  it('is left alone by others while its process lives', async () => {
    const api = await startFakeApi()
    const folder = temporaryFolder()
    const first = createRig(api, { folder, isOffline: true })
    await first.report('flush')
    const second = createRig(api, { folder, runId: 'run-2' })
    await second.report('stop')
    await second.exporter.close?.()
    expect(api.store.runs).toHaveLength(1)
    expect(first.files()).toHaveLength(1)
    await first.exporter.close?.()
  })
})
