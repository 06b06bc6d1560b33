import { ratio, watts, type Ratio, type Watts } from '../../core/units.ts'

/** What nvidia-smi is asked for, in this order (`nvidia-smi --help-query-gpu`). */
export const smiFields = [
  'index',
  'uuid',
  'name',
  'power.draw',
  'power.limit',
  'utilization.gpu',
  'memory.used',
  'memory.total',
  'pci.bus_id',
  'driver_version',
] as const

/** One card at one moment. What it does not tell is absent. */
export interface SmiRow {
  readonly index: number
  readonly uuid: string
  readonly name: string
  readonly power: Watts | undefined
  readonly powerLimit: Watts | undefined
  readonly utilisation: Ratio | undefined
  readonly memoryUsedBytes: number | undefined
  readonly memoryTotalBytes: number | undefined
  readonly pciBusId: string | undefined
  readonly driver: string | undefined
}

const bytesPerMebibyte = 2 ** 20

/**
 * One line of `nvidia-smi --query-gpu=… --format=csv,noheader,nounits`; `undefined` for anything else: a header, a message, half a line. Units
 * are taken off where an older version writes them all the same. Numbers that a card does not tell are words in brackets.
 */
export function parseSmiRow(line: string): SmiRow | undefined {
  const cells = line.split(',').map((cell) => cell.trim())
  if (cells.length !== smiFields.length) return undefined
  const [index = '', uuid = '', name = '', power, limit, use, used, total, bus, driver] = cells
  if (!/^\d+$/.test(index) || !uuid.startsWith('GPU-')) return undefined
  const percent = numberOf(use)
  return {
    index: Number(index),
    uuid,
    name: textOf(name) ?? 'NVIDIA graphics processor',
    power: asWatts(numberOf(power)),
    powerLimit: asWatts(numberOf(limit)),
    utilisation: percent === undefined ? undefined : ratio(percent / 100),
    memoryUsedBytes: asBytes(numberOf(used)),
    memoryTotalBytes: asBytes(numberOf(total)),
    pciBusId: textOf(bus),
    driver: textOf(driver),
  }
}

/** `[N/A]`, `[Not Supported]`, `[Unknown Error]`, `[GPU is lost]`, `[Insufficient Permissions]`, and `N/A` in old versions. */
const textOf = (cell: string | undefined): string | undefined =>
  cell === undefined || cell === '' || /^(\[.*\]|N\/A)$/i.test(cell) ? undefined : cell

function numberOf(cell: string | undefined): number | undefined {
  const [, digits] = /^(\d+(?:\.\d+)?)(?: ?(?:W|%|MiB))?$/.exec(textOf(cell) ?? '') ?? []
  return digits === undefined ? undefined : Number(digits)
}

const asWatts = (value: number | undefined): Watts | undefined =>
  value === undefined ? undefined : watts(value)

const asBytes = (mebibytes: number | undefined): number | undefined =>
  mebibytes === undefined ? undefined : mebibytes * bytesPerMebibyte
