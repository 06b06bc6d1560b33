import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { EnergyError } from './core/errors.ts'
import { stateDirectory } from './files/state-directory.ts'
import { writeWholeFile } from './files/whole-file.ts'
import type { CpuInfo } from './probes/linux/cpuinfo.ts'

/** What a machine's processors were found to draw. */
export interface Calibration {
  /** Watts of all packages at idle. */
  readonly idleWatts: number
  /** Watts of all packages at full load. */
  readonly maxWatts: number
  /** ISO 8601, UTC. */
  readonly calibratedAt: string
  /** `rapl`: read from hardware counters; `given`: by the user, from a meter of their own. */
  readonly method: 'rapl' | 'given'
}

interface StoredCalibration extends Calibration {
  readonly hardware: string
}

/** Which machines a calibration holds for: the same processors, as many of them. */
export const hardwareOf = ({
  modelName,
  vendor,
  family,
  model,
  stepping,
  logicalCpus,
  sockets,
}: CpuInfo): string =>
  [modelName, vendor, family, model, stepping, `${sockets ?? 1} sockets`, `${logicalCpus} CPUs`]
    .filter((fact) => fact !== undefined)
    .join(', ')

/** The file that holds them, in the user's state directory. */
export const calibrationFile = (): string => join(stateDirectory(), 'calibration.json')

/**
 * The calibration of these processors; `undefined` where there is none.
 * @throws EnergyError ERR_FILE_UNREADABLE where the file is there and is none of ours
 */
export function readCalibration(cpu: CpuInfo, file: string = calibrationFile()): Calibration | undefined {
  const hardware = hardwareOf(cpu)
  return readAll(file).find((entry) => entry.hardware === hardware)
}

/**
 * Keeps a calibration for these processors in the place of an earlier one; without one, forgets it.
 * @throws EnergyError ERR_FILE_UNREADABLE, ERR_EXPORT_FAILED
 */
export function saveCalibration(
  cpu: CpuInfo,
  calibration: Calibration | undefined,
  file: string = calibrationFile(),
): void {
  const hardware = hardwareOf(cpu)
  const others = readAll(file).filter((entry) => entry.hardware !== hardware)
  const entry = calibration === undefined ? [] : [{ hardware, ...calibration }]
  if (!entry.every(isCalibration)) {
    throw new EnergyError(
      'ERR_PROBE_READ',
      `${calibration?.idleWatts} W idle and ${calibration?.maxWatts} W at full load are no calibration`,
    )
  }
  const calibrations = [...others, ...entry]
  writeWholeFile(file, `${JSON.stringify({ schema: 1, calibrations }, undefined, 2)}\n`)
}

function readAll(file: string): readonly StoredCalibration[] {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return []
    throw unreadable(file, error)
  }
  const calibrations = parse(text)
  if (calibrations === undefined) throw unreadable(file)
  return calibrations
}

function parse(text: string): readonly StoredCalibration[] | undefined {
  try {
    const { calibrations } = JSON.parse(text) as { calibrations?: unknown }
    return Array.isArray(calibrations) && calibrations.every(isCalibration) ? calibrations : undefined
  } catch {
    return undefined
  }
}

function isCalibration(entry: unknown): entry is StoredCalibration {
  const { hardware, idleWatts, maxWatts, calibratedAt, method } = (entry ?? {}) as Record<string, unknown>
  return (
    typeof hardware === 'string' &&
    typeof idleWatts === 'number' &&
    typeof maxWatts === 'number' &&
    idleWatts >= 0 &&
    maxWatts > idleWatts &&
    typeof calibratedAt === 'string' &&
    (method === 'rapl' || method === 'given')
  )
}

const unreadable = (file: string, cause?: unknown): EnergyError =>
  new EnergyError(
    'ERR_FILE_UNREADABLE',
    `${file} cannot be read as calibrations; codecarbon calibrate --forget-all removes it`,
    { cause },
  )
