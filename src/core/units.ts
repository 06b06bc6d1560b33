/**
 * The units used inside, as branded numbers, and the only conversion factors of the project.
 * Every factor is exact by definition of the SI and of the watt-hour.
 */
declare const unit: unique symbol
type Branded<U extends string> = number & { readonly [unit]: U }

/** Energy in joules. */
export type Joules = Branded<'J'>
/** Power in watts. */
export type Watts = Branded<'W'>
/** Time in seconds. */
export type Seconds = Branded<'s'>
/** Greenhouse gases in grams of CO2 equivalent. */
export type Grams = Branded<'g'>
/** A share between 0 and 1, never percent. */
export type Ratio = Branded<'1'>

export const joules = (value: number): Joules => value as Joules
export const watts = (value: number): Watts => value as Watts
export const seconds = (value: number): Seconds => value as Seconds
export const grams = (value: number): Grams => value as Grams

/** A ratio held within 0 and 1. */
export const ratio = (value: number): Ratio => Math.min(1, Math.max(0, value)) as Ratio

const microjoulesPerJoule = 1e6
const microwattsPerWatt = 1e6
const milliwattsPerWatt = 1000
/** Microvolts times microamperes. */
const picowattsPerWatt = 1e12
const millijoulesPerJoule = 1000
const joulesPerKilowattHour = 3.6e6
const gramsPerKilogram = 1000
const millisecondsPerSecond = 1000
const microsecondsPerSecond = 1e6
const nanosecondsPerSecond = 1e9
const secondsPerHour = 3600
const picowattHoursPerWattHour = 1e12
/** Of 365 days, as the SCI's own examples count. */
const secondsPerYear = 365 * 24 * secondsPerHour
const bytesPerGigabyte = 1e9
const bytesPerGibibyte = 2 ** 30

export const fromMicrojoules = (value: number): Joules => joules(value / microjoulesPerJoule)
export const fromMicrowatts = (value: number): Watts => watts(value / microwattsPerWatt)
export const fromMilliwatts = (value: number): Watts => watts(value / milliwattsPerWatt)
export const fromPicowatts = (value: number): Watts => watts(value / picowattsPerWatt)
export const fromMillijoules = (value: number): Joules => joules(value / millijoulesPerJoule)
export const fromPicowattHours = (value: number): Joules =>
  joules((value / picowattHoursPerWattHour) * secondsPerHour)
export const toKilowattHours = (energy: Joules): number => energy / joulesPerKilowattHour
export const fromKilowattHours = (value: number): Joules => joules(value * joulesPerKilowattHour)
export const toKilograms = (mass: Grams): number => mass / gramsPerKilogram
export const fromKilograms = (value: number): Grams => grams(value * gramsPerKilogram)
export const fromMilliseconds = (value: number): Seconds => seconds(value / millisecondsPerSecond)
export const fromMicroseconds = (value: number): Seconds => seconds(value / microsecondsPerSecond)
export const fromNanoseconds = (value: number): Seconds => seconds(value / nanosecondsPerSecond)
export const fromYears = (value: number): Seconds => seconds(value * secondsPerYear)
export const toYears = (time: Seconds): number => time / secondsPerYear
export const toHours = (time: Seconds): number => time / secondsPerHour
export const toGigabytes = (bytes: number): number => bytes / bytesPerGigabyte
export const fromGibibytes = (value: number): number => value * bytesPerGibibyte
export const toGibibytes = (bytes: number): number => bytes / bytesPerGibibyte

/** Energy of a mean power held for a time. */
export const energyOver = (power: Watts, time: Seconds): Joules => joules(power * time)

/** Mean power of an energy spent over a time; `undefined` where no time has passed. */
export function powerOver(energy: Joules, time: Seconds): Watts | undefined {
  return time > 0 ? watts(energy / time) : undefined
}

/** Mean carbon intensity in gCO2e/kWh of emissions that an energy caused; `undefined` where there was no energy. */
export function intensityOf(mass: Grams, energy: Joules): number | undefined {
  return energy > 0 ? mass / toKilowattHours(energy) : undefined
}

/** Grams of an energy at a carbon intensity in gCO2e/kWh. */
export const gramsAt = (energy: Joules, gramsPerKwh: number): Grams =>
  grams((energy / joulesPerKilowattHour) * gramsPerKwh)
