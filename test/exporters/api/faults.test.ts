import { describe, expect, it } from 'vitest'
import { fakeClock } from '../../fixtures/fake-clock.ts'
import { startFakeApi, type Fault } from '../../fixtures/codecarbon-api/server.ts'
import { temporaryFolder } from '../../fixtures/programs/temporary-folder.ts'
import { createRig, expectAll, until } from './rig.ts'

/** What is on its way between this process and the server comes. */
const settle = (ms = 20): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms)
  })

const failure = async (work: Promise<void>): Promise<string> => {
  try {
    await work
    return 'nothing'
  } catch (error) {
    return (error as Error).message
  }
}

describe('a server that', () => {
  it('is away for ten minutes has all of it afterwards, and was asked less and less often', async () => {
    const api = await startFakeApi()
    const clock = fakeClock()
    const rig = createRig(api, { clock })
    const minutes = async (count: number): Promise<void> => {
      for (let second = 1; second <= count * 60; second += 1) {
        clock.advance(1)
        if (second % 15 === 0) await rig.report('live')
        await settle(2)
      }
    }
    await minutes(1)
    api.fault = () => 'reset'
    await minutes(10)
    const asked = api.asked.filter(({ status }) => status === 0).length
    expect(asked).toBeGreaterThan(4)
    expect(asked).toBeLessThan(14)
    api.fault = () => undefined
    await minutes(6)
    await until(() => api.store.emissions.length >= 17 * 4 - 1)
    await rig.report('stop')
    await rig.exporter.close?.()
    expectAll(api, rig.total)
    expect(rig.files()).toEqual([])
    expect(rig.messages[0]).toContain('and is sent again')
  })

  it('has bursts of 503 has each slice once', async () => {
    const api = await startFakeApi()
    const rig = createRig(api, { endMs: 20_000 })
    let asked = 0
    api.fault = () => ((asked += 1) % 9 < 5 ? 503 : undefined)
    for (let slice = 0; slice < 6; slice += 1) await rig.report('flush', 7.77)
    await rig.report('stop', 0.1)
    await rig.exporter.close?.()
    expectAll(api, rig.total)
    expect(api.asked.filter(({ method }) => method === 'GET').length).toBeGreaterThan(0)
  })

  it('asks to be left alone is left alone for so long', async () => {
    const api = await startFakeApi()
    const clock = fakeClock()
    const rig = createRig(api, { clock })
    api.fault = () => 429
    api.faultHeaders = { 'retry-after': '120' }
    await rig.report('live')
    await until(() => api.asked.length === 1)
    await settle()
    api.fault = () => undefined
    for (let second = 0; second < 115; second += 5) clock.advance(5)
    await rig.report('live')
    await settle()
    expect(api.asked).toHaveLength(1)
    expect(await failure(rig.report('flush'))).toContain('3 slices of this run wait in')
    clock.advance(10)
    await until(() => api.store.emissions.length > 2)
    await rig.report('stop')
    expectAll(api, rig.total)
  })

  it.each<Fault>(['lost answer', 'committed error'])(
    'carries things out and gives no answer (%s) has nothing twice',
    async (fault) => {
      const api = await startFakeApi()
      const clock = fakeClock()
      const rig = createRig(api, { clock, endMs: 60_000 })
      let asked = 0
      api.fault = ({ method }) => (method === 'POST' && (asked += 1) % 2 === 1 ? fault : undefined)
      for (const reason of ['flush', 'flush', 'stop'] as const) {
        let isDone = false
        const reported = rig.report(reason, 30.3).finally(() => {
          isDone = true
        })
        await until(
          () => isDone,
          () => {
            clock.advance(0.02)
          },
        )
        await reported
      }
      expectAll(api, rig.total)
      expect(api.store.runs).toHaveLength(1)
    },
  )

  it('does not let itself be asked what it has is told once more, which is said', async () => {
    const api = await startFakeApi()
    api.isReadable = false
    const rig = createRig(api)
    await rig.report('flush')
    let asked = 0
    api.fault = ({ method }) => (method === 'POST' && (asked += 1) === 1 ? 'committed error' : undefined)
    await rig.report('flush')
    await rig.report('stop')
    expect(rig.messages.join('\n')).toContain('it may be there twice')
    const timestamps = api.store.emissions.map((emission) => emission['timestamp'])
    expect(timestamps).toHaveLength(4)
    expect(timestamps[1]).toBe(timestamps[2])
  })

  it.each<[Fault, string]>([
    [401, 'does not let this API key write to this experiment (HTTP 401): check api_key and experiment_id'],
    [403, 'does not let this API key write to this experiment (HTTP 403): check api_key and experiment_id'],
    [404, 'has no CodeCarbon API, or not this experiment, at this address: check api_endpoint'],
    [422, 'did not take what was sent (HTTP 422)'],
    ['page', 'has no CodeCarbon API, or not this experiment, at this address: check api_endpoint'],
    ['redirect', 'has no CodeCarbon API, or not this experiment, at this address: check api_endpoint'],
    [202, 'answered otherwise than the CodeCarbon API does: check api_endpoint'],
  ])('answers with %s is asked no more, and all waits', async (fault, message) => {
    const [api, elsewhere] = [await startFakeApi(), await startFakeApi()]
    const folder = temporaryFolder()
    api.redirectTo = `${elsewhere.url}/runs`
    api.fault = () => fault
    const rig = createRig(api, { folder })
    await rig.report('live')
    await until(() => rig.messages.length > 0)
    await rig.report('live')
    expect(await failure(rig.report('stop'))).toContain('3 slices of this run wait in')
    await rig.exporter.close?.()
    expect(rig.messages[0]).toContain(message.replace(/ \(HTTP \d+\)/, ''))
    expect(rig.messages).toHaveLength(2)
    expect(api.asked.length).toBeLessThan(4)
    expect(elsewhere.asked).toEqual([])
    api.fault = () => undefined
    const next = createRig(api, { folder, runId: 'run-2' })
    await next.report('stop')
    await next.exporter.close?.()
    expectAll(api, rig.total, 1)
    expect(rig.files()).toEqual([])
  })

  it('shows a page where it is asked what it has, is sent nothing on a guess', async () => {
    const api = await startFakeApi()
    const folder = temporaryFolder()
    const rig = createRig(api, { folder })
    await rig.report('flush')
    api.fault = ({ method }) => (method === 'GET' ? 'page' : 'committed error')
    expect(await failure(rig.report('flush'))).toContain('1 slice of this run waits in')
    expect(await failure(rig.report('stop'))).toContain('has no CodeCarbon API')
    await rig.exporter.close?.()
    expect(api.store.emissions).toHaveLength(2)
    api.fault = () => undefined
    const next = createRig(api, { folder, runId: 'run-2' })
    await next.report('stop')
    await next.exporter.close?.()
    expectAll(api, rig.total)
  })

  it('answers with the page of a network to log in to is asked again after an hour', async () => {
    const api = await startFakeApi()
    const clock = fakeClock()
    const rig = createRig(api, { clock })
    api.fault = () => 'page'
    await rig.report('live')
    await until(() => rig.messages.length > 0)
    api.fault = () => undefined
    clock.advance(3500)
    await rig.report('live')
    await settle()
    expect(api.asked).toHaveLength(1)
    clock.advance(200)
    await rig.report('live')
    await until(() => api.store.emissions.length > 0)
    await rig.report('stop')
    expectAll(api, rig.total)
  })

  it('refuses one slice has what it was about with the next', async () => {
    const api = await startFakeApi()
    const rig = createRig(api)
    await rig.report('flush')
    let asked = 0
    api.fault = () => ((asked += 1) === 1 ? 422 : undefined)
    await rig.report('live')
    await until(() => rig.messages.length > 0 || asked > 0)
    await rig.report('stop').catch(() => undefined)
    await rig.exporter.close?.()
    const next = createRig(api, { folder: `${rig.spool.folder}/..`, runId: 'run-2' })
    await next.report('stop')
    await next.exporter.close?.()
    expectAll(api, rig.total)
  })

  it('cannot be reached at the end delays it little', async () => {
    const api = await startFakeApi()
    const rig = createRig(api, { endMs: 60_000 })
    await api.close()
    const begun = performance.now()
    expect(await failure(rig.report('stop'))).toMatch(
      /^1 slice of this run waits in .*, to be sent by the next run or by codecarbon api flush \(the CodeCarbon API at 127\.0\.0\.1:\d+ cannot be reached: the connection was refused\)$/,
    )
    expect(performance.now() - begun).toBeLessThan(5000)
    await rig.exporter.close?.()
    expect(rig.files()).toHaveLength(1)
  })

  it('is silent at the end is waited for no longer than the deadline', async () => {
    const api = await startFakeApi()
    api.fault = () => 'silence'
    const rig = createRig(api, { endMs: 300 })
    const begun = performance.now()
    expect(await failure(rig.report('stop'))).toContain('1 slice of this run waits in')
    expect(performance.now() - begun).toBeLessThan(2000)
    await rig.exporter.close?.()
  })
})
