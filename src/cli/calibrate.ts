import { rmSync } from 'node:fs'
import { InvalidArgumentError, type Command } from 'commander'
import { calibrationFile, readCalibration, saveCalibration, type Calibration } from '../calibration.ts'
import type { Options } from '../config/option-table.ts'
import { ConfigError } from '../core/errors.ts'
import { formatPower } from '../exporters/text/quantity.ts'
import { printOnStderr } from '../log.ts'
import { climbLoadLadder } from '../load-ladder.ts'
import { surveyMachine } from '../survey.ts'
import { addOptions, optionsFrom } from './options.ts'

interface CalibrateFlags {
  readonly idleWatts?: number
  readonly maxWatts?: number
  readonly stepSeconds: number
  readonly show?: true
  readonly forget?: true
  readonly forgetAll?: true
  readonly json?: true
}

/** `codecarbon calibrate`: learns what this machine's processors draw idle and under full load, for all later estimates. */
export function addCalibrate(program: Command): void {
  const command = program
    .command('calibrate')
    .description(
      'learn what the processors draw idle and under full load, for all later estimates on this machine: from its counters, under a load of its own, or from figures that you give',
    )
    .option('--idle-watts <number>', 'watts of all processors at idle, from a meter of yours', toWatts)
    .option('--max-watts <number>', 'watts of all processors at full load, from a meter of yours', toWatts)
    .option('--step-seconds <number>', 'time for each of the five loads, 1 to 120', toStepSeconds, 8)
    .option('--show', 'show what is kept for this machine')
    .option('--forget', 'forget what is kept for this machine')
    .option('--forget-all', 'forget what is kept for all machines')
    .option('--json', 'print JSON')
  addOptions(command, ['hardware', 'log'])
  command.action(async (flags: CalibrateFlags & Record<string, unknown>) => {
    const { options } = optionsFrom(flags)
    await calibrate(flags, options)
  })
}

async function calibrate(flags: CalibrateFlags, options: Options): Promise<void> {
  if (flags.forgetAll === true) {
    rmSync(calibrationFile(), { force: true })
    return
  }
  const survey = surveyMachine(options)
  for (const probe of survey.detection.probes) probe.close?.()
  const { cpu } = survey.machine
  if (flags.forget === true) {
    saveCalibration(cpu, undefined)
    return
  }
  if (flags.show === true) {
    print(readCalibration(cpu), flags)
    return
  }
  const calibration =
    given(flags) ??
    (await climbLoadLadder({
      options,
      survey,
      stepSeconds: flags.stepSeconds,
      onStep: (share, power) => {
        printOnStderr(`${Math.round(share * 100)} % load: ${formatPower(power)}\n`)
      },
    }))
  saveCalibration(cpu, calibration)
  print(calibration, flags)
}

function print(calibration: Calibration | undefined, { json }: CalibrateFlags): void {
  if (json === true) {
    const { idleWatts, maxWatts, calibratedAt, method } = calibration ?? {}
    const shown = {
      idle_watts: idleWatts ?? null,
      max_watts: maxWatts ?? null,
      calibrated_at: calibratedAt ?? null,
      method: method ?? null,
    }
    process.stdout.write(`${JSON.stringify(shown, undefined, 2)}\n`)
    return
  }
  process.stdout.write(
    calibration === undefined
      ? 'nothing is kept for this machine\n'
      : `${formatPower(calibration.idleWatts)} idle, ${formatPower(calibration.maxWatts)} at full load, ${calibration.method === 'rapl' ? 'measured' : 'given'} ${calibration.calibratedAt}, kept in ${calibrationFile()}\n`,
  )
}

/** What the user says, where they say both. */
function given({ idleWatts, maxWatts }: CalibrateFlags): Calibration | undefined {
  if (idleWatts === undefined && maxWatts === undefined) return undefined
  if (idleWatts === undefined || maxWatts === undefined) {
    throw new ConfigError('--idle-watts and --max-watts are given together, or neither')
  }
  if (maxWatts <= idleWatts) {
    throw new ConfigError(`--max-watts ${maxWatts}: expected more than the ${idleWatts} W of --idle-watts`)
  }
  return { idleWatts, maxWatts, calibratedAt: new Date().toISOString(), method: 'given' }
}

function toWatts(value: string): number {
  const watts = value.trim() === '' ? NaN : Number(value)
  if (watts >= 0 && watts <= 1e5) return watts
  throw new InvalidArgumentError('Expected watts from 0 to 100000.')
}

function toStepSeconds(value: string): number {
  const time = value.trim() === '' ? NaN : Number(value)
  if (time >= 1 && time <= 120) return time
  throw new InvalidArgumentError('Expected seconds from 1 to 120.')
}
