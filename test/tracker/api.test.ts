import { join } from 'node:path'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { EmissionsTracker, OfflineEmissionsTracker, trackEmissions } from '../../src/index.ts'
import { filesIn } from '../exporters/api/rig.ts'
import { startFakeApi, type FakeApi } from '../fixtures/codecarbon-api/server.ts'
import { sumsOf } from '../fixtures/codecarbon-api/store.ts'
import { temporaryFolder } from '../fixtures/programs/temporary-folder.ts'
import { fakeMachine } from './fake-machine.ts'

const settings = ({ url, store }: FakeApi) =>
  ({ apiEndpoint: url, apiKey: store.apiKey, experimentId: store.experimentId }) as const

describe('the CodeCarbon API', () => {
  let state: string

  beforeEach(() => {
    state = temporaryFolder()
    vi.stubEnv('XDG_STATE_HOME', state)
    return () => {
      vi.unstubAllEnvs()
    }
  })

  const waiting = (): string[] => filesIn(join(state, 'codecarbon', 'api'))

  it('has what a tracker says', async () => {
    const api = await startFakeApi()
    const machine = fakeMachine()
    const tracker = new EmissionsTracker({
      ...machine.options,
      ...settings(api),
      outputMethods: ['csv', 'api'],
    }).start()
    machine.use(3600)
    await tracker.flush()
    machine.use(1234)
    await tracker.stop()
    const record = tracker.finalEmissionsData
    expect(sumsOf(api.store.emissions)).toMatchObject({
      emissions_sum: record?.emissions,
      cpu_energy: record?.cpuEnergy,
      ram_energy: record?.ramEnergy,
      energy_consumed: record?.energyConsumed,
    })
    expect(api.store.runs).toMatchObject([{ cpu_count: 4, longitude: null, tracking_mode: 'machine' }])
    expect(waiting()).toEqual([])
  })

  it('has what a function used that is tracked with saveToApi', async () => {
    const api = await startFakeApi()
    const { options } = fakeMachine()
    const logger = {
      debug: vi.fn<(message: string) => void>(),
      info: vi.fn<(message: string) => void>(),
      warn: vi.fn<(message: string) => void>(),
      error: vi.fn<(message: string) => void>(),
    }
    const train = trackEmissions((x: number) => Promise.resolve(x + 1), {
      ...options,
      ...settings(api),
      saveToApi: true,
      logger,
    })
    expect(await train(1)).toBe(2)
    expect(api.store.runs).toHaveLength(1)
    expect(api.store.emissions).toHaveLength(1)
  })

  it('has what was tracked offline when another run comes', async () => {
    const api = await startFakeApi()
    const machine = fakeMachine()
    const options = { ...machine.options, ...settings(api), outputMethods: ['api'] } as const
    const offline = new OfflineEmissionsTracker(options).start()
    machine.use(3600)
    await offline.stop()
    expect(api.asked).toEqual([])
    expect(waiting()).toHaveLength(1)
    await new EmissionsTracker(options).start().stop()
    expect(api.store.runs).toHaveLength(2)
    expect(sumsOf(api.store.emissions).cpu_energy).toBeCloseTo(0.001, 10)
    expect(waiting()).toEqual([])
  })

  it('has what was tracked without a key when there is one', async () => {
    const api = await startFakeApi()
    const { options } = fakeMachine()
    const { apiKey, ...keyless } = settings(api)
    const warn = vi.fn<(message: string) => void>()
    const logger = {
      debug: vi.fn<(message: string) => void>(),
      info: vi.fn<(message: string) => void>(),
      warn,
      error: vi.fn<(message: string) => void>(),
    }
    const without = {
      ...options,
      ...keyless,
      outputMethods: ['api'] as const,
      logLevel: 'warning' as const,
      logger,
    }
    await new EmissionsTracker(without).start().stop()
    expect(warn.mock.calls.flat().join()).toContain(
      'output api: api_key is not given: what is to be sent waits in',
    )
    await new EmissionsTracker({ ...without, apiKey }).start().stop()
    expect(api.store.runs).toHaveLength(2)
  })
})
