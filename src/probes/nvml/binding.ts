import type { Ratio, Watts } from '../../core/units.ts'

/**
 * NVIDIA's management library, as far as it is used here. What takes long is a promise and runs outside the event loop; what a tick
 * reads is synchronous. Every call throws an NvmlError where NVML returns a code, and where the library lacks the function.
 */
export interface Nvml {
  /** Starts NVML up: milliseconds where the driver is awake, seconds on a large host where it is not. */
  init(): Promise<void>
  shutdown(): Promise<void>
  driverVersion(): Promise<string>
  deviceCount(): number
  /** The card at an index, in the order of the PCI bus. */
  device(index: number): Promise<NvmlDevice>
}

/** One card. */
export interface NvmlDevice {
  /** What does not change. What the card does not tell is absent; without a UUID it throws. */
  facts(): Promise<NvmlFacts>
  /** Energy since the driver was loaded (Volta and newer). */
  energyMillijoules(): number
  /** Power of the whole board: the mean of the last second on Ampere and newer (but GA100), the moment's before. */
  powerMilliwatts(): number
  /** Share of the time in which a kernel ran, over the last sixth of a second to second, by product. */
  utilisationPercent(): number
  memoryUsedBytes(): number
  /** Processes with a compute or graphics context. In a container their ids are the host's, or 0. */
  processes(): readonly number[]
  /** Samples of how busy each process kept the card, newer than a time in microseconds since 1970. */
  processSamples(sinceMicroseconds: bigint): readonly NvmlProcessSample[]
}

/** What a card says of itself. */
export interface NvmlFacts {
  readonly uuid: string
  readonly name: string
  readonly pciBusId: string | undefined
  readonly powerLimit: Watts | undefined
  readonly memoryTotalBytes: number | undefined
  readonly virtualisation: Virtualisation
  /** UUIDs of the slices that the card is divided into; `undefined` where it is not divided. */
  readonly migUuids: readonly string[] | undefined
}

/** What this system has of the card: `none`, the whole of it by pass-through, or a part of it as a virtual GPU. */
export type Virtualisation = 'none' | 'passthrough' | 'vgpu' | 'host'

/** How busy one process kept the card for a moment. */
export interface NvmlProcessSample {
  readonly pid: number
  readonly atMicroseconds: bigint
  readonly utilisation: Ratio
}
