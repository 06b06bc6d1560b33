import { parseCpuid } from '../../cpu/find-by-cpuid.ts'

/** What a processor says it is, as `/proc/cpuinfo` tells it on Linux. */
export interface ProcessorIdentity {
  readonly vendor?: string
  readonly family?: number
  readonly model?: number
  readonly stepping?: number
}

/**
 * The variable `PROCESSOR_IDENTIFIER` that Windows sets for every process: `Intel64 Family 6 Model 85 Stepping 7, GenuineIntel`. With it a
 * virtual machine whose processor has a masked name ("Intel(R) Xeon(R) Processor @ 2.20GHz") is known by its family. Nothing on Arm, where
 * it names the architecture, and where it is not understood.
 */
export function parseProcessorIdentifier(text: string | undefined): ProcessorIdentity {
  const id = text === undefined ? undefined : parseCpuid(text)
  if (id === undefined) return {}
  const { vendor, family, model, stepping } = id
  return { vendor, family, model, ...(stepping === undefined ? {} : { stepping }) }
}
