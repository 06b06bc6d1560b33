import { AIMessage } from '@langchain/core/messages'
import { FakeListChatModel } from '@langchain/core/utils/testing'
import { MeterProvider } from '@opentelemetry/sdk-metrics'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createOtelExporter } from '../../../src/exporters/otel/otel-exporter.ts'
import { createPrometheusPull } from '../../../src/exporters/prometheus/prometheus-pull.ts'
import { createTextMetrics } from '../../../src/exporters/prometheus/text-metrics.ts'
import type { RunView } from '../../../src/core/exporter.ts'
import { EmissionsTracker, type Exporter } from '../../../src/index.ts'
import { CarbonCallbackHandler } from '../../../src/integrations/langchain/langchain.ts'
import { ModelCalls } from '../../../src/integrations/model-calls/model-calls.ts'
import type { RemoteFactor, RemoteFactorOption } from '../../../src/integrations/model-calls/remote-factor.ts'
import { byName, TestReader } from '../../exporters/otel/collected.ts'
import { fakeMachine, type FakeMachine } from '../../tracker/fake-machine.ts'

/** 2 J for each output token; 36 g/kWh make 1e-5 g of a joule. */
const factor: RemoteFactor = {
  name: 'ours',
  source: 'a paper, 2025',
  energyJoulesPerOutputToken: 2,
  low: 1,
  high: 4,
  gramsPerKwh: 36,
}

interface Measured {
  readonly machine: FakeMachine
  readonly tracker: EmissionsTracker
  /** What the endpoint answers. Who asks again within a second is told the same. */
  scrape(): Promise<string>
  /** What the Pushgateway and files are given, with the whole run once it has ended. */
  written(): string
}

/** Lines that tell of calls of models, without those of help and type. */
const callsIn = (text: string): string[] =>
  text.split('\n').filter((line) => line.startsWith('codecarbon_model_call_'))

/** A run that Prometheus scrapes, and at which anybody may look. */
async function measured(): Promise<Measured> {
  const machine = fakeMachine()
  let look: (() => RunView) | undefined
  const seer: Exporter = { name: 'seer', open: (at) => void (look = at), export: () => undefined }
  let tracker: EmissionsTracker | undefined
  const url = await new Promise<string>((resolve) => {
    const pull = createPrometheusPull({ port: 0, host: '127.0.0.1', onListen: resolve })
    tracker = new EmissionsTracker({ ...machine.options, exporters: [pull, seer] }).start()
  })
  const running = tracker ?? expect.fail('nothing listens')
  onTestFinished(async () => {
    await running.stop()
  })
  return {
    machine,
    tracker: running,
    scrape: async () => (await fetch(url)).text(),
    written: () => createTextMetrics().render(look?.() ?? expect.fail('nobody may look')),
  }
}

const names = 'gen_ai_provider_name="acme",gen_ai_request_model="small-1"'

describe('metrics of calls of models', () => {
  it('are tokens by type, and the estimate by the factor that was chosen', async () => {
    const { tracker, scrape, written } = await measured()
    const hook = new ModelCalls('test', { tracker, remoteFactor: factor })
    hook.begin('acme', 'small-1')?.end('ok', { input: 5, output: 100 })
    hook.begin('acme', 'small-1')?.end('ok', { input: 7, output: 50 })
    const lines = [
      `codecarbon_model_call_tokens_total{${names},gen_ai_token_type="input"} 12`,
      `codecarbon_model_call_tokens_total{${names},gen_ai_token_type="output"} 150`,
      `codecarbon_model_call_remote_energy_joules_total{${names},method="estimated"} 300`,
      `codecarbon_model_call_remote_emissions_grams_total{${names},method="estimated"} 0.003`,
    ]
    expect(callsIn(await scrape())).toEqual(lines)
    expect(callsIn(written())).toEqual(lines)
    const [sum] = hook.report()
    expect(sum?.remote).toMatchObject({ energyJoules: 300, emissionsGrams: 0.003 })
  })

  it.each<[string, RemoteFactorOption | undefined, string[]]>([
    ['no factor was chosen', undefined, []],
    ['the function chose none for a model', () => undefined, []],
    [
      'the factor has no carbon intensity',
      { ...factor, gramsPerKwh: undefined },
      [`codecarbon_model_call_remote_energy_joules_total{${names},method="estimated"} 14`],
    ],
  ])('tell nothing of elsewhere that nobody knows: %s', async (_what, remoteFactor, remote) => {
    const { tracker, scrape } = await measured()
    const hook = new ModelCalls('test', { tracker, remoteFactor })
    hook.begin('acme', 'small-1')?.end('ok', { output: 7 })
    expect(callsIn(await scrape())).toEqual([
      `codecarbon_model_call_tokens_total{${names},gen_ai_token_type="output"} 7`,
      ...remote,
    ])
  })

  it('have no series where the provider told no tokens', async () => {
    const { tracker, scrape } = await measured()
    const hook = new ModelCalls('test', { tracker, remoteFactor: factor })
    hook.begin('acme', 'small-1')?.end('error')
    const text = await scrape()
    expect(text).toContain('codecarbon_task_duration_seconds')
    expect(callsIn(text)).toEqual([])
  })

  it('neither decrease nor go where a later call tells less', async () => {
    const { tracker, scrape, written } = await measured()
    let chosen: RemoteFactor | undefined = factor
    const hook = new ModelCalls('test', { tracker, remoteFactor: () => chosen })
    hook.begin('acme', 'small-1')?.end('ok', { input: 0, output: 10 })
    const before = callsIn(await scrape())
    expect(before).toHaveLength(4)
    expect(before[0]).toMatch(/gen_ai_token_type="input"\} 0$/)
    chosen = { ...factor, gramsPerKwh: undefined }
    hook.begin('acme', 'small-1')?.end('ok')
    hook.begin('acme', 'small-1')?.end('ok', { output: 1 })
    await tracker.stop()
    expect(callsIn(written())).toEqual([
      before[0],
      `codecarbon_model_call_tokens_total{${names},gen_ai_token_type="output"} 11`,
      `codecarbon_model_call_remote_energy_joules_total{${names},method="estimated"} 22`,
      before[3],
    ])
  })

  it('are told to OpenTelemetry with the attributes of its conventions, and go on in the next run', async () => {
    const reader = new TestReader()
    const meterProvider = new MeterProvider({ readers: [reader] })
    const run = async (): Promise<unknown[]> => {
      const exporters = [createOtelExporter({ meterProvider })]
      const tracker = new EmissionsTracker({ ...fakeMachine().options, outputMethods: [], exporters }).start()
      const hook = new ModelCalls('test', { tracker, remoteFactor: factor })
      hook.begin('acme', 'small-1')?.end('ok', { input: 5, output: 100 })
      await tracker.stop()
      return [...byName(reader.flushed.at(-1) ?? expect.fail('nothing was told'))]
        .filter(([name]) => name.startsWith('codecarbon.model_call.'))
        .map(([name, { descriptor, dataPoints }]) => [
          name,
          descriptor.unit,
          dataPoints.map(({ attributes, value }) => [attributes, value]),
        ])
    }
    const attributes = { 'gen_ai.provider.name': 'acme', 'gen_ai.request.model': 'small-1' }
    const estimated = { ...attributes, method: 'estimated' }
    const expected = (runs: number): unknown[] => [
      [
        'codecarbon.model_call.tokens',
        '{token}',
        [
          [{ ...attributes, 'gen_ai.token.type': 'input' }, 5 * runs],
          [{ ...attributes, 'gen_ai.token.type': 'output' }, 100 * runs],
        ],
      ],
      ['codecarbon.model_call.remote.energy', 'J', [[estimated, 200 * runs]]],
      ['codecarbon.model_call.remote.emissions', 'g', [[estimated, expect.closeTo(0.002 * runs, 12)]]],
    ]
    expect(await run()).toEqual(expected(1))
    expect(await run()).toEqual(expected(2))
  })

  it('are no part of any other metric, nor of the record', async () => {
    const told = async (remoteFactor?: RemoteFactor): Promise<unknown> => {
      const { machine, tracker, written } = await measured()
      const hook = new ModelCalls('test', { tracker, remoteFactor })
      hook.begin('acme', 'small-1')?.end('ok', { output: 1e9 })
      machine.use(36)
      await tracker.stop()
      const ofEnergy =
        /^(hw_energy|codecarbon_(component|process)_energy)_joules_total|^codecarbon_emissions_grams_total/
      const { energyConsumed, emissions } = tracker.finalEmissionsData ?? expect.fail('no record')
      const lines = written().split('\n')
      expect(lines.some((line) => line.includes('remote_energy'))).toBe(remoteFactor !== undefined)
      return [lines.filter((line) => ofEnergy.test(line)), energyConsumed, emissions]
    }
    const [lines, energy, emissions] = (await told(factor)) as [string[], number, number]
    expect(lines.length).toBeGreaterThan(3)
    expect(energy * 3.6e6).toBeCloseTo(36, 9)
    expect(await told()).toEqual([lines, energy, emissions])
  })

  it('come of the calls that a handler of LangChain is told', async () => {
    const { tracker, scrape } = await measured()
    const model = new (class extends FakeListChatModel {
      override getLsParams() {
        return { ls_provider: 'acme', ls_model_name: 'small-1', ls_model_type: 'chat' as const }
      }
      override _formatGeneration(text: string) {
        const usage_metadata = { input_tokens: 12, output_tokens: 30, total_tokens: 42 }
        return { text, message: Object.assign(new AIMessage(text), { usage_metadata }) }
      }
    })({ responses: ['an answer'] })
    await model.invoke('a question', {
      callbacks: [new CarbonCallbackHandler({ tracker, remoteFactor: 'samsi-llama-65b' })],
    })
    expect(callsIn(await scrape())).toEqual([
      `codecarbon_model_call_tokens_total{${names},gen_ai_token_type="input"} 12`,
      `codecarbon_model_call_tokens_total{${names},gen_ai_token_type="output"} 30`,
      `codecarbon_model_call_remote_energy_joules_total{${names},method="estimated"} 105`,
    ])
  })
})
