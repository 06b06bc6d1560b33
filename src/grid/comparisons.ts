import { intensityFor } from './intensity.ts'
import { comparisonTable, type ComparisonRow } from './tables.ts'

/** An amount of emissions told as something that people can picture. */
export interface Comparison {
  readonly key: 'car' | 'television' | 'household' | 'smartphone'
  /** In `unit`; a finite number. */
  readonly quantity: number
  /** Chosen so that the quantity reads well: `m` or `km`, `seconds` to `years`, charges or a share of one. */
  readonly unit: string
  /** A whole phrase with three significant digits. */
  readonly text: string
  /** Who published the figure that this stands on. */
  readonly source: string
}

/**
 * What an amount of greenhouse gases compares to. The constants, with their sources, are rows of `data/comparisons.json`:
 *
 * - distance in a car: an average US passenger vehicle on the road, 244 g CO2e/km (US EPA: 0.393 kg per mile). Not the
 *   133 g/km of new European petrol cars: that is the CO2 of a type approval test, of cars few people drive yet.
 * - hours of a 100 W television on the grid of the run, since its emissions are its electricity's
 * - time of the electricity of an average US home, 4798 kg CO2 a year (US EPA)
 * - charges of a smartphone, 12.4 g CO2 each (US EPA)
 *
 * @param grams emissions in grams of CO2 equivalent; nothing compares to what is negative or not a number
 * @param intensityGramsPerKwh carbon intensity of the run's electricity in gCO2e/kWh; of the world where absent. At zero the
 *   television emits nothing, and its line is left out.
 *
 * @example
 * compare(100)[0]?.text // '410 m in an average US passenger car'
 */
export function compare(grams: number, intensityGramsPerKwh?: number): Comparison[] {
  if (!Number.isFinite(grams) || grams < 0) return []
  const intensity = intensityGramsPerKwh ?? intensityFor(worldPlace).intensity.gramsPerKwh
  const car = rowOf('car_km')
  const tv = rowOf('tv_hour')
  const home = rowOf('home_electricity_year')
  const phone = rowOf('smartphone_charge')
  const tvGramsPerHour = tv.value * intensity
  return [
    toComparison(
      'car',
      car,
      inUnits(grams / car.value, distances),
      (amount) => `${amount} in an average US passenger car`,
    ),
    ...(tvGramsPerHour > 0
      ? [
          toComparison(
            'television',
            tv,
            inUnits((grams / tvGramsPerHour) * secondsPerHour, durations),
            (amount) => `${amount} of a 100 W television`,
          ),
        ]
      : []),
    toComparison(
      'household',
      home,
      inUnits((grams / home.value) * secondsPerYear, durations),
      (amount) => `${amount} of an average US home's electricity`,
    ),
    toComparison('smartphone', phone, inUnits(grams / phone.value, charges), (amount) => amount),
  ]
}

const worldPlace = {
  countryIsoCode: undefined,
  regionCode: undefined,
  cloudProvider: undefined,
  cloudRegion: undefined,
  zone: undefined,
}

const secondsPerHour = 3600
const secondsPerDay = 24 * secondsPerHour
/** The Julian year, on which the annual figure's day is a 365.25th. */
const secondsPerYear = 365.25 * secondsPerDay

interface Unit {
  /** Size in the base unit of its list. */
  readonly size: number
  readonly one: string
  readonly many: string
  /** From which value in the base unit on it is used, where that is less than one of it. */
  readonly from?: number
}

/** From large to small. */
type Units = readonly Unit[]

const distances: Units = [
  { size: 1, one: 'km', many: 'km' },
  { size: 1e-3, one: 'm', many: 'm' },
  { size: 1e-6, one: 'mm', many: 'mm' },
  { size: 1e-9, one: 'µm', many: 'µm' },
  { size: 1e-12, one: 'nm', many: 'nm' },
]

const durations: Units = [
  { size: secondsPerYear, one: 'year', many: 'years' },
  { size: secondsPerDay, one: 'day', many: 'days' },
  { size: secondsPerHour, one: 'hour', many: 'hours' },
  { size: 60, one: 'minute', many: 'minutes' },
  { size: 1, one: 'second', many: 'seconds' },
  { size: 1e-3, one: 'millisecond', many: 'milliseconds' },
  { size: 1e-6, one: 'microsecond', many: 'microseconds' },
  { size: 1e-9, one: 'nanosecond', many: 'nanoseconds' },
]

const charges: Units = [
  { size: 1, one: 'smartphone charge', many: 'smartphone charges' },
  { size: 1e-2, one: '% of a smartphone charge', many: '% of a smartphone charge', from: 1e-5 },
  { size: 1e-6, one: 'millionth of a smartphone charge', many: 'millionths of a smartphone charge' },
  { size: 1e-9, one: 'billionth of a smartphone charge', many: 'billionths of a smartphone charge' },
]

interface Amount {
  readonly quantity: number
  readonly unit: string
  readonly text: string
}

/** A quantity in the largest unit of which it is at least one; in the smallest for less, in the base unit for nothing. */
function inUnits(value: number, units: Units): Amount {
  // Three digits are shown: what would be shown as one of the unit is one of it.
  const shown = Number(value.toPrecision(3))
  const unit =
    units.find(({ size, from = size }) => (value === 0 ? size === 1 : shown >= from)) ?? units.at(-1)
  if (unit === undefined) throw new Error('a list of units is empty')
  const quantity = value / unit.size
  const digits = format(quantity)
  const name = digits === '1' ? unit.one : unit.many
  return { quantity, unit: name, text: name.startsWith('%') ? `${digits}${name}` : `${digits} ${name}` }
}

/** Three significant digits, and words from a million on: 0.0123, 4.5, 678, 12,300, 4.09 billion. */
function format(quantity: number): string {
  const words = { notation: 'compact', compactDisplay: 'long' } as const
  // Made here and not once for all: it takes 5 ms, which nobody should pay for importing this.
  const shape = new Intl.NumberFormat('en', { maximumSignificantDigits: 3, ...(quantity < 1e6 ? {} : words) })
  return shape.format(quantity)
}

function toComparison(
  key: Comparison['key'],
  row: ComparisonRow,
  { quantity, unit, text }: Amount,
  phrase: (amount: string) => string,
): Comparison {
  const source = comparisonTable().sources[row.source]?.title ?? row.source
  return { key, quantity, unit, text: phrase(text), source }
}

function rowOf(key: string): ComparisonRow {
  const row = comparisonTable().rows.find((candidate) => candidate.key === key)
  if (row === undefined) throw new Error(`data/comparisons.json has no row ${key}`)
  return row
}
