import { Worker } from 'node:worker_threads'
import type { Calibration } from './calibration.ts'
import type { Options } from './config/option-table.ts'
import { systemClock } from './core/clock.ts'
import { EnergyError, messageOf } from './core/errors.ts'
import { seconds } from './core/units.ts'
import { openProcfsLoad } from './probes/linux/procfs-load.ts'
import { createRaplProbe } from './probes/rapl.ts'
import type { Survey } from './survey.ts'

/** What is needed to climb. */
export interface LadderOptions {
  readonly options: Options
  readonly survey: Survey
  /** Time for each load. */
  readonly stepSeconds: number
  /** Told of each load, a share of the logical CPUs, and the watts under it. */
  readonly onStep: (share: number, watts: number) => void
}

/** Shares of the logical CPUs that are kept busy, one after the other. */
const ladder = [0, 0.25, 0.5, 0.75, 1]
/** A machine that is busier than this with other things has no idle power to learn. */
const mostBusyAtIdle = 0.15
/** Under full load hardly anything is left over. */
const leastBusyAtFull = 0.85

/**
 * Keeps more and more of the logical CPUs busy and reads the processors' counters at each load.
 *
 * @throws EnergyError ERR_PROBE_UNAVAILABLE where there are no counters, ERR_PROBE_READ where the machine is busy or the counters show no
 *   difference
 */
export async function climbLoadLadder({
  options,
  survey,
  stepSeconds,
  onStep,
}: LadderOptions): Promise<Calibration> {
  const { logicalCpus } = survey.machine.cpu
  const counters = openCounters(options, survey)
  const load = openProcfsLoad(options.procfsPath)
  const powers: number[] = []
  try {
    for (const share of ladder) {
      const before = load.read(seconds(performance.now() / 1000))
      // oxlint-disable-next-line no-await-in-loop -- one load at a time is the point
      const power = await powerUnder(Math.round(share * logicalCpus), stepSeconds, counters)
      const after = load.read(seconds(performance.now() / 1000))
      if (share === 0) checkIdle(busyBetween(before, after))
      if (share === 1) checkFull(busyBetween(before, after))
      powers.push(power)
      onStep(share, power)
    }
  } finally {
    counters.close()
    load.close?.()
  }
  const idleWatts = powers[0] ?? NaN
  const maxWatts = Math.max(...powers.slice(1))
  if (!(maxWatts > idleWatts * 1.05)) {
    throw new EnergyError(
      'ERR_PROBE_READ',
      `the counters show ${idleWatts.toFixed(1)} W idle and ${maxWatts.toFixed(1)} W under full load, which is no difference to learn from`,
    )
  }
  return { idleWatts, maxWatts, calibratedAt: new Date().toISOString(), method: 'rapl' }
}

type CpuTimes = ReturnType<ReturnType<typeof openProcfsLoad>['read']>

/** Share of the CPU time that was used; `undefined` where the system does not tell. */
function busyBetween(before: CpuTimes, after: CpuTimes): number | undefined {
  const busy = (after.cpuBusy ?? 0) - (before.cpuBusy ?? 0)
  const capacity = (after.cpuCapacity ?? 0) - (before.cpuCapacity ?? 0)
  return capacity > 0 ? busy / capacity : undefined
}

function checkIdle(busy: number | undefined): void {
  if (busy === undefined || busy <= mostBusyAtIdle) return
  throw new EnergyError(
    'ERR_PROBE_READ',
    `the machine is ${Math.round(busy * 100)} % busy with other things: try again when it is idle, or give --idle-watts and --max-watts`,
  )
}

/** A container, or a process that is kept to some CPUs, cannot load the whole machine. */
function checkFull(busy: number | undefined): void {
  if (busy === undefined || busy >= leastBusyAtFull) return
  throw new EnergyError(
    'ERR_PROBE_READ',
    `only ${Math.round(busy * 100)} % of the CPU time could be used: calibrate outside of limits and containers, or give --idle-watts and --max-watts`,
  )
}

interface Counters {
  /** Joules so far of each package. @throws EnergyError ERR_PROBE_READ where one cannot be read: a sum without it would be a figure of nothing */
  read(): ReadonlyMap<string, number>
  close(): void
}

function openCounters({ sysfsPath }: Options, survey: Survey): Counters {
  try {
    const probe = createRaplProbe({ sysfsPath, includeDram: false })
    return {
      read() {
        const { readings, problems } = probe.read({ at: systemClock.now().monotonic, resumed: false })
        const [problem] = problems
        if (problem !== undefined) throw new EnergyError('ERR_PROBE_READ', problem.message)
        return new Map(
          readings
            .filter(({ component, parent }) => component === 'cpu' && parent === undefined)
            .map(({ domain, energy }) => [domain, energy]),
        )
      },
      close: () => probe.close?.(),
    }
  } catch (error) {
    const hint = survey.machine.cpu.isVirtual ? ': a virtual machine does not see them' : ''
    throw new EnergyError(
      'ERR_PROBE_UNAVAILABLE',
      `nothing can be learned without counters${hint} (${messageOf(error)}); give --idle-watts and --max-watts, or see codecarbon detect`,
      { cause: error },
    )
  }
}

/** Mean watts of the second half of a time in which so many threads are busy: the first half is for clocks and fans to settle. */
async function powerUnder(threads: number, stepSeconds: number, counters: Counters): Promise<number> {
  const workers = Array.from(
    { length: threads },
    () => new Worker('for (let x = 1.1; ; x = Math.sqrt(x * 1.7 + 1)) if (x === 0) break', { eval: true }),
  )
  try {
    await pause((stepSeconds / 2) * 1000)
    const [before, begin] = [counters.read(), performance.now()]
    await pause((stepSeconds / 2) * 1000)
    const [after, end] = [counters.read(), performance.now()]
    let joules = 0
    for (const [domain, energy] of after) joules += energy - (before.get(domain) ?? energy)
    return (joules / (end - begin)) * 1000
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()))
  }
}

const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, milliseconds)
  })
