/** Quantities for people: three significant digits and a unit that keeps the number readable. */

const energyUnits = [
  [3.6e6 * 1e3, 'MWh'],
  [3.6e6, 'kWh'],
  [3600 * 0.1, 'Wh', 3600],
  [1, 'J'],
  [1e-3, 'mJ'],
  [1e-6, 'µJ'],
] as const satisfies readonly Unit[]

const massUnits = [
  [1e6, 't'],
  [1e3, 'kg'],
  [1, 'g'],
  [1e-3, 'mg'],
  [1e-6, 'µg'],
  [1e-9, 'ng'],
  [1e-12, 'pg'],
] as const satisfies readonly Unit[]

const powerUnits = [
  [1e6, 'MW'],
  [1e3, 'kW'],
  [1, 'W'],
  [1e-3, 'mW'],
] as const satisfies readonly Unit[]

/** From which size on the unit is used, its name, and its size where that is another. */
type Unit = readonly [from: number, name: string, size?: number]

/** `0.42 Wh`, from joules; in the unit that suits `like`, where several are to be compared. */
export const formatEnergy = (joules: number, like: number = joules): string =>
  format(joules, energyUnits, like)
/** `58 mg`, from grams. */
export const formatMass = (grams: number): string => format(grams, massUnits)
/** `11.2 W`, from watts. */
export const formatPower = (watts: number): string => format(watts, powerUnits)

/** `0.31 to 0.58 Wh`: two quantities in one unit, that which suits `like`. */
export function formatRange(low: number, high: number, kind: 'energy' | 'mass', like: number = high): string {
  const units = kind === 'energy' ? energyUnits : massUnits
  const [, name, size] = unitFor(like, units)
  return `${digits(low / size)} to ${digits(high / size)} ${name}`
}

/** `85.0 ms`, `28.4 s`, `3 min 12 s`, `2 h 05 min`. */
export function formatDuration(seconds: number): string {
  if (seconds > 0 && seconds < 0.9995) return `${digits(seconds * 1000)} ms`
  if (seconds < 59.95) return `${Number.isInteger(seconds) ? seconds : digits(seconds)} s`
  const whole = Math.round(seconds)
  const two = (value: number): string => String(value).padStart(2, '0')
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`
  return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`
}

/** `45 %`, from a ratio; never a rounded 0 or 100 where it is neither. */
export function formatShare(share: number): string {
  const percent = share * 100
  if (percent > 0 && percent < 0.1) return 'less than 0.1 %'
  if (percent > 99.9 && percent < 100) return 'more than 99.9 %'
  return `${digits(percent)} %`
}

function format(value: number, units: readonly Unit[], like: number = value): string {
  const [, name, size] = unitFor(like, units)
  return `${digits(value / size)} ${name}`
}

function unitFor(value: number, units: readonly Unit[]): readonly [number, string, number] {
  const isBase = ([from, , size = from]: Unit): boolean => size === 1
  const fits = ([from]: Unit): boolean => Math.abs(value) >= from
  const [from, name, size = from] = units.find(value === 0 ? isBase : fits) ?? units.at(-1) ?? [1, '']
  return [from, name, size]
}

function digits(value: number): string {
  if (value === 0) return '0'
  const size = Math.abs(value)
  // A rounding up to 100 would have four digits.
  if (size >= 99.95) return value.toFixed(0)
  return size < 1e-6 ? String(Number(value.toPrecision(3))) : value.toPrecision(3)
}
