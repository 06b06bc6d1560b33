import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { Clock } from '../../../src/core/clock.ts'
import { systemClock } from '../../../src/core/clock.ts'
import type { EmissionsData } from '../../../src/core/emissions-data.ts'
import type { Exporter, Reason, Report } from '../../../src/core/exporter.ts'
import { createApiExporter, type ApiExporterOptions } from '../../../src/exporters/api/api-exporter.ts'
import { connect } from '../../../src/exporters/api/connect.ts'
import { openSpool, type Spool } from '../../../src/exporters/api/spool.ts'
import type { Fetch } from '../../../src/http/http-request.ts'
import { Secret } from '../../../src/http/secret.ts'
import { sumsOf } from '../../fixtures/codecarbon-api/store.ts'
import type { FakeApi } from '../../fixtures/codecarbon-api/server.ts'
import { recordOf, reportOf } from '../../fixtures/csv/records.ts'
import { temporaryFolder } from '../../fixtures/programs/temporary-folder.ts'

/** A run that reports to the API, and all that it says. */
export interface Rig {
  readonly exporter: Exporter
  readonly spool: Spool
  readonly messages: string[]
  /** Files that wait. */
  files(): string[]
  /** Reports so many more seconds, in which so much more was used. */
  report(reason: Reason, seconds?: number): Promise<void>
  reportSync(reason: Reason, seconds?: number): void
  /** The run so far, as the CSV file has it. */
  readonly total: EmissionsData
}

/** Options of {@link createRig}. */
export interface RigOptions extends Partial<Pick<ApiExporterOptions, 'endMs' | 'whyNot'>> {
  readonly folder?: string
  readonly runId?: string
  readonly clock?: Clock
  readonly apiKey?: string
  readonly experimentId?: string
  readonly isOffline?: boolean
  readonly fetch?: Fetch
  readonly onMessage?: (message: string) => void
}

export function createRig(api: FakeApi, options: RigOptions = {}): Rig {
  const { folder = temporaryFolder(), clock = systemClock, runId = 'run-1' } = options
  const messages: string[] = []
  const say = (message: string): void => {
    messages.push(message)
    options.onMessage?.(message)
  }
  const spool = openSpool({ folder: join(folder, 'api'), nowMs: () => clock.now().wallMs, onGivenUp: say })
  const exporter = createApiExporter({
    endpoint: api.url,
    experimentId: options.experimentId ?? api.store.experimentId,
    ...{ spool, clock },
    log: (_severity, message) => {
      say(message)
    },
    endMs: options.endMs ?? 2000,
    ...(options.whyNot === undefined ? {} : { whyNot: options.whyNot }),
    openCourier: options.isOffline
      ? undefined
      : (hooks) =>
          Promise.resolve(
            connect({
              ...hooks,
              ...{ endpoint: api.url, spool, clock, fetch: options.fetch },
              apiKey: new Secret(options.apiKey ?? api.store.apiKey),
              random: () => 0.5,
            }),
          ),
  })
  void exporter.open?.(() => expect.fail('nobody looks'), say)
  let total = recordOf({
    ...{ runId, duration: 0, emissions: 0, cpuEnergy: 0, gpuEnergy: 0, ramEnergy: 0, energyConsumed: 0 },
  })

  function next(reason: Reason, seconds: number): Report {
    // Figures with all the digits that real ones have.
    const use = (watts: number): number => (watts * seconds) / 3.6e6 / 1.000001
    const [cpu, ram] = [use(27.123456789), use(3.3333333)]
    total = {
      ...total,
      duration: total.duration + seconds,
      cpuEnergy: (total.cpuEnergy ?? 0) + cpu,
      ramEnergy: (total.ramEnergy ?? 0) + ram,
      energyConsumed: (total.energyConsumed ?? 0) + cpu + ram,
      emissions: (total.emissions ?? 0) + (cpu + ram) * 0.0567891234,
    }
    const report = reportOf(reason, total)
    return { ...report, snapshot: { ...report.snapshot, at: clock.now() } }
  }

  return {
    exporter,
    spool,
    messages,
    files: () => filesIn(spool.folder),
    async report(reason, seconds = 15) {
      await exporter.export(next(reason, seconds))
    },
    reportSync(reason, seconds = 15) {
      exporter.exportSync?.(next(reason, seconds))
    },
    get total() {
      return total
    },
  }
}

export function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => name.endsWith('.jsonl'))
  } catch {
    return []
  }
}

/** What the server adds up is what the CSV file has, to the last bit, and its seconds are those of the run. */
export function expectAll({ store }: FakeApi, total: EmissionsData, runIndex = 0): void {
  const own = store.emissions.filter((emission) => emission['run_id'] === store.runs[runIndex]?.id)
  expect(sumsOf(own)).toEqual({
    duration: Math.max(1, Math.round(total.duration)),
    emissions_sum: total.emissions,
    cpu_energy: total.cpuEnergy,
    gpu_energy: total.gpuEnergy,
    ram_energy: total.ramEnergy,
    energy_consumed: total.energyConsumed,
  })
  const times = own.map((emission) => String(emission['timestamp']))
  expect(times).toEqual([...new Set(times)].toSorted())
}

const patienceMs = 20_000

/** Lets events come until something holds. */
export async function until(holds: () => boolean, whileWaiting: () => void = () => undefined): Promise<void> {
  const begun = performance.now()
  while (!holds()) {
    if (performance.now() - begun > patienceMs) expect.fail(`it never holds: ${holds.toString()}`)
    whileWaiting()
    await new Promise((resolve) => {
      setTimeout(resolve, 1)
    })
  }
}
