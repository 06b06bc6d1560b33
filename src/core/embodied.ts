import { mapEstimate, type Estimate } from './estimate.ts'
import { grams, type Grams, type Seconds } from './units.ts'

/** What making a machine has emitted, as far as it is reserved for what is measured, and over which life it is written off. */
export interface Embodied {
  /** All of a machine's own, or the part of it that a virtual machine has: `TE × RR / ToR` of the SCI. */
  readonly reserved: Estimate<Grams>
  /** `EL` of the SCI. */
  readonly lifespan: Seconds
  /** What the figure stands on, in words. */
  readonly basis: string
  /** Who published it, or that the user gave it. */
  readonly source: string
}

/**
 * The embodied emissions that fall on a time of the machine: M = TE × TiR / EL × RR / ToR (ISO/IEC 21031:2024, Software Carbon Intensity).
 * A process tree has the time of the machine that is its share of the CPU time.
 */
export function embodiedOver({ reserved, lifespan }: Embodied, machineTime: Seconds): Estimate<Grams> {
  return mapEstimate(reserved, (mass) => grams((mass * machineTime) / lifespan))
}
