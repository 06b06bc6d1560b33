import { ratio } from '../../core/units.ts'
import type { NvmlProcessSample } from './binding.ts'
import type { Caller, FunctionName } from './native-call.ts'
import { NvmlError, returnCode } from './return-code.ts'

/** `nvmlProcessInfo_t` since its second version: pid (4, and 4 unused), memory (8), GPU instance, compute instance (4 each). */
const processInfoSize = 24

/** Processes with a context on the card, of any kind. */
export function readProcesses(call: Caller, handle: bigint): readonly number[] {
  const ofKind = (newer: FunctionName, older: FunctionName): readonly number[] => {
    const { bytes, count } = readList(call, call.has(newer) ? newer : older, handle, processInfoSize)
    return Array.from({ length: count }, (_, index) => bytes.readUInt32LE(index * processInfoSize))
  }
  const compute = ofKind('nvmlDeviceGetComputeRunningProcesses_v3', 'nvmlDeviceGetComputeRunningProcesses_v2')
  return [...new Set([...compute, ...graphicsOrNone(ofKind)])]
}

/** Cards of data centres tell no graphics processes. */
function graphicsOrNone(
  ofKind: (newer: FunctionName, older: FunctionName) => readonly number[],
): readonly number[] {
  try {
    return ofKind('nvmlDeviceGetGraphicsRunningProcesses_v3', 'nvmlDeviceGetGraphicsRunningProcesses_v2')
  } catch (error) {
    if (error instanceof NvmlError) return []
    throw error
  }
}

/** `nvmlProcessUtilizationSample_t`: pid (4, and 4 unused), time in µs (8), use in percent of SM, memory, encoder, decoder (4 each). */
const processSampleSize = 32

/** How busy processes kept the card since a time in microseconds since 1970. */
export function readSamples(call: Caller, handle: bigint, since: bigint): readonly NvmlProcessSample[] {
  const { bytes, count } = readList(call, 'nvmlDeviceGetProcessUtilization', handle, processSampleSize, since)
  return Array.from({ length: count }, (_, index) => {
    const at = index * processSampleSize
    return {
      pid: bytes.readUInt32LE(at),
      atMicroseconds: bytes.readBigUInt64LE(at + 8),
      utilisation: ratio(bytes.readUInt32LE(at + 16) / 100),
    }
  })
}

/** So many entries fit at first; NVML says where it has more. */
const usualEntries = 128

/** A list whose length NVML writes beside it; none where it finds no entries. The two functions have their count before the list, and after it. */
function readList(
  call: Caller,
  name: FunctionName,
  handle: bigint,
  entrySize: number,
  since?: bigint,
): { readonly bytes: Buffer; readonly count: number } {
  let room = usualEntries
  for (;;) {
    const bytes = Buffer.alloc(room * entrySize)
    const count = new Uint32Array([room])
    const args = since === undefined ? [handle, count, bytes] : [handle, bytes, count, since]
    const code = call.find(name)(...args)
    const needed = count[0] ?? 0
    if (code === 0) return { bytes, count: Math.min(needed, room) }
    if (code === returnCode.notFound) return { bytes, count: 0 }
    if (code !== returnCode.insufficientSize || needed <= room) throw new NvmlError(name, code)
    // Processes may come while we ask.
    room = needed * 2
  }
}
