import type { Estimate } from '../../core/estimate.ts'
import type { Method } from '../../core/reading.ts'
import { watts, type Joules, type Seconds, type Watts } from '../../core/units.ts'
import type { NvmlDevice } from './binding.ts'

/** One way to tell the energy of a card since it was opened. */
export interface EnergySource {
  readonly method: Method
  readonly energy: Estimate<Joules>
  /** How soon the card may have something new to say; absent where nothing is lost by asking later. */
  readonly period?: Seconds
  /**
   * Takes a reading; `resumed` says that the machine slept since the last one. A sentence where the energy up to it is not known.
   * @throws what keeps the card from telling
   */
  read(device: NvmlDevice, at: Seconds, resumed: boolean): string | undefined
  /** Says that the card could not be asked for a while. */
  miss?(): void
}

/** A value that no card can have. */
export class ImplausibleValue extends Error {}

/** No card or module draws more: the largest ones are around 1.4 kW (data/gpu-power.json). */
const mostPower = watts(5000)
/** A card may exceed its power by this for 100 µs (power excursions in PCI Express CEM 5.0); a mean over longer never does. */
const overLimit = 3

/** More power than a card can have. */
export const mostPowerOf = (limit: Watts | undefined): Watts =>
  limit !== undefined && limit > 0 ? watts(Math.min(mostPower, overLimit * limit)) : mostPower

/** Failures that are over so soon lie within the time that the power is a mean of. */
export const bridgedSeconds = 1

/** What a source says of a time in which the card was not asked, or did not answer. */
export const missed = (since: number): string =>
  `it told nothing for ${since.toFixed(1)} s, which are not counted`
