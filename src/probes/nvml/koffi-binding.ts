import { ProbeUnavailable } from '../../core/errors.ts'
import { watts, type Watts } from '../../core/units.ts'
import { loadNativeLibrary } from '../koffi.ts'
import type { Nvml, NvmlDevice, NvmlFacts, Virtualisation } from './binding.ts'
import { otherLibrary } from './nvml-library.ts'
import { createCaller, textOf, type Caller } from './native-call.ts'
import { readProcesses, readSamples } from './process-lists.ts'
import { NvmlError } from './return-code.ts'

/**
 * NVML through koffi. Signatures, sizes and offsets are those of NVIDIA's nvml.h, which keeps them for ever and gives changed functions a
 * new name (`_v2`). All systems that NVIDIA has drivers for are little-endian.
 *
 * @param path of the library, or a name that the system's loader knows
 * @throws ProbeUnavailable where koffi is not there, the library cannot be loaded, or it is another one
 */
export async function loadNvml(path: string): Promise<Nvml> {
  const call = createCaller(await loadNativeLibrary(path))
  if (!call.has('nvmlInit_v2')) {
    throw new ProbeUnavailable(`${path} is not NVML: it has no function nvmlInit_v2`, otherLibrary)
  }
  return {
    init: () => call.later('nvmlInit_v2'),
    shutdown: () => call.later('nvmlShutdown'),
    driverVersion: () => call.laterText('nvmlSystemGetDriverVersion', 80),
    deviceCount() {
      const count = new Uint32Array(1)
      call.now('nvmlDeviceGetCount_v2', count)
      return count[0] ?? 0
    },
    async device(index) {
      const handle = new BigUint64Array(1)
      await call.later('nvmlDeviceGetHandleByIndex_v2', index, handle)
      return createDevice(call, handle[0] ?? 0n)
    },
  }
}

function createDevice(call: Caller, handle: bigint): NvmlDevice {
  const energyOf = call.find('nvmlDeviceGetTotalEnergyConsumption')
  const ratesOf = call.find('nvmlDeviceGetUtilizationRates')
  const powerOf = call.find('nvmlDeviceGetPowerUsage')
  const [number, pair] = [new Uint32Array(1), new Uint32Array(2)]
  return {
    facts: () => readFacts(call, handle),
    // These are called in every tick, without a detour.
    energyMillijoules() {
      const code = energyOf(handle, pair)
      if (code !== 0) throw new NvmlError('nvmlDeviceGetTotalEnergyConsumption', code)
      return (pair[1] as number) * 2 ** 32 + (pair[0] as number)
    },
    powerMilliwatts() {
      const code = powerOf(handle, number)
      if (code !== 0) throw new NvmlError('nvmlDeviceGetPowerUsage', code)
      return number[0] as number
    },
    utilisationPercent() {
      const code = ratesOf(handle, pair)
      if (code !== 0) throw new NvmlError('nvmlDeviceGetUtilizationRates', code)
      return pair[0] as number
    },
    memoryUsedBytes() {
      const [, , used] = memoryInfo(call, handle)
      return Number(used)
    },
    processes: () => readProcesses(call, handle),
    processSamples: (since) => readSamples(call, handle, since),
  }
}

/** `nvmlVirtualizationMode`: none, passthrough, vgpu, host_vgpu, host_vsga. */
const virtualisations: readonly Virtualisation[] = ['none', 'passthrough', 'vgpu', 'host', 'host']

async function readFacts(call: Caller, handle: bigint): Promise<NvmlFacts> {
  const uuid = await call.laterText('nvmlDeviceGetUUID', 96, handle)
  const name = await orAbsent(call.laterText('nvmlDeviceGetName', 96, handle))
  const pci = Buffer.alloc(pciInfoSize)
  const hasPci = await orAbsent(call.later('nvmlDeviceGetPciInfo_v3', handle, pci).then(() => true))
  const mode = new Uint32Array(1)
  await orAbsent(call.later('nvmlDeviceGetVirtualizationMode', handle, mode))
  return {
    uuid,
    name: name ?? 'NVIDIA graphics processor',
    pciBusId: hasPci === true ? textOf(pci.subarray(pciBusIdOffset)) : undefined,
    powerLimit: await readPowerLimit(call, handle),
    memoryTotalBytes: await readMemoryTotal(call, handle),
    virtualisation: virtualisations[mode[0] ?? 0] ?? 'none',
    migUuids: await readSlices(call, handle),
  }
}

/** `nvmlPciInfo_t`: the old bus id (16), domain, bus, device, device id, subsystem id (4 each), the bus id (32). */
const pciInfoSize = 68
const pciBusIdOffset = 36

async function readPowerLimit(call: Caller, handle: bigint): Promise<Watts | undefined> {
  const milliwatts = new Uint32Array(1)
  const told = await orAbsent(
    call.later('nvmlDeviceGetEnforcedPowerLimit', handle, milliwatts).then(() => milliwatts[0]),
  )
  return told === undefined ? undefined : watts(told / 1000)
}

async function readMemoryTotal(call: Caller, handle: bigint): Promise<number | undefined> {
  const memory = new BigUint64Array(3)
  return orAbsent(call.later('nvmlDeviceGetMemoryInfo', handle, memory).then(() => Number(memory[0])))
}

/** `nvmlMemory_t`: total, free, used. */
function memoryInfo(call: Caller, handle: bigint): BigUint64Array {
  const memory = new BigUint64Array(3)
  call.now('nvmlDeviceGetMemoryInfo', handle, memory)
  return memory
}

/** `undefined` where the card is not divided (Multi-Instance GPU), or cannot be. */
async function readSlices(call: Caller, handle: bigint): Promise<readonly string[] | undefined> {
  const [current, pending] = [new Uint32Array(1), new Uint32Array(1)]
  const isMig = await orAbsent(
    call.later('nvmlDeviceGetMigMode', handle, current, pending).then(() => current[0] === 1),
  )
  if (isMig !== true) return undefined
  const count = new Uint32Array(1)
  await orAbsent(call.later('nvmlDeviceGetMaxMigDeviceCount', handle, count))
  const uuids: string[] = []
  for (let index = 0; index < (count[0] ?? 0); index += 1) {
    const slice = new BigUint64Array(1)
    // oxlint-disable-next-line no-await-in-loop -- a card has seven of them at most, and one call at a time waits in the thread pool of the host program
    const uuid = await orAbsent(
      call
        .later('nvmlDeviceGetMigDeviceHandleByIndex', handle, index, slice)
        .then(() => call.laterText('nvmlDeviceGetUUID', 96, slice[0] ?? 0n)),
    )
    if (uuid !== undefined) uuids.push(uuid)
  }
  return uuids
}

/** What a card need not tell: absent, where NVML says why not. */
async function orAbsent<T>(told: Promise<T>): Promise<T | undefined> {
  try {
    return await told
  } catch (error) {
    if (error instanceof NvmlError) return undefined
    throw error
  }
}
