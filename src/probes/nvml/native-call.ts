import type { NativeArgument, NativeFunction, NativeLibrary } from '../koffi.ts'
import { NvmlError, returnCode } from './return-code.ts'

/** Types of the arguments: p for pointers, u for `unsigned int`, U for `unsigned long long`. */
const signatures = {
  nvmlInit_v2: '',
  nvmlShutdown: '',
  nvmlSystemGetDriverVersion: 'pu',
  nvmlDeviceGetCount_v2: 'p',
  nvmlDeviceGetHandleByIndex_v2: 'up',
  nvmlDeviceGetUUID: 'ppu',
  nvmlDeviceGetName: 'ppu',
  nvmlDeviceGetPciInfo_v3: 'pp',
  nvmlDeviceGetTotalEnergyConsumption: 'pp',
  nvmlDeviceGetPowerUsage: 'pp',
  nvmlDeviceGetEnforcedPowerLimit: 'pp',
  nvmlDeviceGetUtilizationRates: 'pp',
  nvmlDeviceGetMemoryInfo: 'pp',
  nvmlDeviceGetMigMode: 'ppp',
  nvmlDeviceGetMaxMigDeviceCount: 'pp',
  nvmlDeviceGetMigDeviceHandleByIndex: 'pup',
  nvmlDeviceGetVirtualizationMode: 'pp',
  nvmlDeviceGetComputeRunningProcesses_v3: 'ppp',
  nvmlDeviceGetComputeRunningProcesses_v2: 'ppp',
  nvmlDeviceGetGraphicsRunningProcesses_v3: 'ppp',
  nvmlDeviceGetGraphicsRunningProcesses_v2: 'ppp',
  nvmlDeviceGetProcessUtilization: 'pppU',
} as const

/** The functions of NVML that are used here. */
export type FunctionName = keyof typeof signatures

const nativeTypes = { p: 'void *', u: 'unsigned int', U: 'unsigned long long' } as const

/** Calls functions of the library by name. A code other than success is thrown as NvmlError; one that is missing, as "no such function". */
export interface Caller {
  /** The function itself, which returns a code. */
  find(name: FunctionName): NativeFunction
  has(name: FunctionName): boolean
  now(name: FunctionName, ...args: NativeArgument[]): void
  later(name: FunctionName, ...args: NativeArgument[]): Promise<void>
  /** A text that the function writes behind its other arguments. */
  laterText(name: FunctionName, size: number, ...args: NativeArgument[]): Promise<string>
}

/** The functions of a loaded library. */
export function createCaller(library: NativeLibrary): Caller {
  const found = new Map<FunctionName, NativeFunction>()

  function find(name: FunctionName): NativeFunction {
    const known = found.get(name)
    if (known !== undefined) return known
    const native = bind(library, name)
    found.set(name, native)
    return native
  }

  const later: Caller['later'] = (name, ...args) =>
    new Promise((resolve, reject) => {
      find(name).async(...args, (error, code) => {
        if (error !== null) reject(error)
        else if (code === 0) resolve()
        else reject(new NvmlError(name, code))
      })
    })
  return {
    find,
    has: (name) => find(name) !== missingFunction,
    later,
    now(name, ...args) {
      const code = find(name)(...args)
      if (code !== 0) throw new NvmlError(name, code)
    },
    async laterText(name, size, ...args) {
      const text = Buffer.alloc(size)
      await later(name, ...args, text, size)
      return textOf(text)
    },
  }
}

function bind(library: NativeLibrary, name: FunctionName): NativeFunction {
  const types = Array.from(signatures[name], (letter) => nativeTypes[letter as keyof typeof nativeTypes])
  try {
    return library.func(name, 'int', types)
  } catch {
    // An older library: whoever asks is told so, as by NVML itself.
    return missingFunction
  }
}

const missingFunction: NativeFunction = Object.assign(() => returnCode.functionNotFound, {
  async: (...args: unknown[]) => {
    const done = args.at(-1) as (error: null, code: number) => void
    done(null, returnCode.functionNotFound)
  },
})

/** The text that C ended with a NUL. */
export function textOf(bytes: Buffer): string {
  const end = bytes.indexOf(0)
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end)
}
