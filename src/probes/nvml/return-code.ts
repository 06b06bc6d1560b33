/** Return codes of NVML that are told apart here (`nvmlReturn_t` in NVIDIA's nvml.h). */
export const returnCode = {
  uninitialised: 1,
  invalidArgument: 2,
  notSupported: 3,
  noPermission: 4,
  notFound: 6,
  insufficientSize: 7,
  driverNotLoaded: 9,
  timeout: 10,
  functionNotFound: 13,
  gpuIsLost: 15,
  resetRequired: 16,
  versionMismatch: 18,
  unknown: 999,
} as const

interface Meaning {
  readonly reason: string
  readonly remedy?: string
}

/** The codes in words, after nvml.h; what would help is NVIDIA's advice for each. */
const meanings: Readonly<Record<number, Meaning>> = {
  1: { reason: 'NVML is not initialised' },
  2: { reason: 'NVML does not know the graphics processor any more' },
  3: { reason: 'the graphics processor does not tell it' },
  4: {
    reason: 'no permission to ask the graphics processor',
    remedy: 'run as a user who may open /dev/nvidia*, and let the container see these devices',
  },
  6: { reason: 'the graphics processor was not found' },
  8: {
    reason: 'the graphics processor has no power',
    remedy: 'connect the power cables of the graphics card',
  },
  9: { reason: 'the NVIDIA driver is not loaded', remedy: 'run: sudo modprobe nvidia' },
  10: { reason: 'the driver did not answer in time' },
  11: { reason: 'the driver has a problem with an interrupt of the graphics processor' },
  12: { reason: 'NVML did not find a library that it needs', remedy: 'install the NVIDIA driver anew' },
  13: {
    reason: 'this version of the NVML library has no such function',
    remedy: 'install a newer NVIDIA driver',
  },
  14: { reason: 'the information stored on the graphics card is damaged' },
  15: {
    reason: 'the graphics processor fell off the bus or cannot be reached',
    remedy: 'look for Xid messages: sudo dmesg | grep -i xid',
  },
  16: {
    reason: 'the graphics processor has to be reset first',
    remedy: 'run: sudo nvidia-smi --gpu-reset',
  },
  17: { reason: 'the operating system keeps the graphics processor from being asked' },
  18: {
    reason: 'the NVML library and the loaded driver are of different versions',
    remedy:
      'restart the machine, or load the driver anew: the driver was updated while the old one was in use',
  },
  19: { reason: 'the graphics processor is in use by somebody who keeps it to himself' },
  20: { reason: 'NVML ran out of memory' },
  999: { reason: 'the driver failed in a way that it has no word for' },
}

/** A call of NVML that failed. The message says what it means. */
export class NvmlError extends Error {
  readonly code: number
  readonly remedy: string | undefined

  constructor(call: string, code: number) {
    const { reason, remedy } = meanings[code] ?? { reason: 'the driver failed' }
    super(`${reason} (${call}: ${code})`)
    this.name = 'NvmlError'
    this.code = code
    this.remedy = remedy
  }
}

/** Failures of the whole card or driver: asking again is of no use before the library was opened anew. */
const lostCodes: ReadonlySet<number> = new Set([
  returnCode.uninitialised,
  returnCode.invalidArgument,
  returnCode.driverNotLoaded,
  returnCode.gpuIsLost,
  returnCode.resetRequired,
  returnCode.versionMismatch,
])

export const isLost = (error: unknown): error is NvmlError =>
  error instanceof NvmlError && lostCodes.has(error.code)
