import { createRequire } from 'node:module'
import { messageOf, ProbeUnavailable } from '../../core/errors.ts'
import { EmiError, type EmiBinding, type EmiDevice } from './emi-binding.ts'

/** As much of `koffi` as is used: a function of a library by its C prototype. */
export interface Ffi {
  load(path: string): { func(prototype: string): (...args: unknown[]) => unknown }
}

/** Options of {@link createEmiBinding}. */
export interface EmiBindingOptions {
  readonly ffi: Ffi
  /** @default 'setupapi.dll' */
  readonly setupapi?: string
  /** @default 'kernel32.dll' */
  readonly kernel32?: string
}

/** {45BD8344-7ED6-49CF-A440-C276C933B053}, GUID_DEVICE_ENERGY_METER of emi.h, as it lies in memory. */
const energyMeterGuid = Buffer.from('4483bd45d67ecf49a440c276c933b053', 'hex')

/** DIGCF_PRESENT and DIGCF_DEVICEINTERFACE (setupapi.h). */
const presentInterfaces = 0x02 | 0x10
const noMoreItems = 259
const insufficientBuffer = 122
const invalidHandle = -1
/** GENERIC_READ, FILE_SHARE_READ with FILE_SHARE_WRITE, OPEN_EXISTING (winnt.h, fileapi.h). */
const genericRead = 0x8000_0000
const shareAll = 3
const openExisting = 3
/** No machine has so many meters: a system that lists on and on is not listened to. */
const mostDevices = 1024

/** On x64 and arm64 the structures of setupapi.h are aligned to pointers of 8 bytes, on ia32 packed. */
const isNarrow = process.arch === 'ia32'
/** SP_DEVICE_INTERFACE_DATA: DWORD size, GUID, DWORD flags, ULONG_PTR. */
const interfaceDataBytes = isNarrow ? 28 : 32
/** SP_DEVICE_INTERFACE_DETAIL_DATA_W: DWORD size, WCHAR path[1]; its declared size includes padding, the path does not follow it. */
const detailDataBytes = isNarrow ? 6 : 8
const pathOffset = 4

/**
 * Loads `koffi` and the libraries of Windows.
 *
 * @throws ProbeUnavailable on other systems, and where `koffi` is not installed
 */
export function loadEmiBinding(platform: string = process.platform): EmiBinding {
  if (platform !== 'win32') throw new ProbeUnavailable('the Energy Meter Interface is of Windows')
  let ffi: Ffi
  try {
    // Loaded where it is needed, and synchronously, as a start is.
    ffi = createRequire(import.meta.url)('koffi') as Ffi
  } catch (error) {
    throw new ProbeUnavailable(
      `koffi, through which libraries are called, cannot be loaded: ${messageOf(error)}`,
      'npm install koffi',
      { cause: error },
    )
  }
  try {
    return createEmiBinding({ ffi })
  } catch (error) {
    throw new ProbeUnavailable(`libraries of Windows cannot be loaded: ${messageOf(error)}`, undefined, {
      cause: error,
    })
  }
}

/** The calls behind the energy meters. Handles go as integers: they are never looked into. Not run on Windows yet. */
export function createEmiBinding(options: EmiBindingOptions): EmiBinding {
  const { ffi, setupapi = 'setupapi.dll', kernel32 = 'kernel32.dll' } = options
  const setup = ffi.load(setupapi)
  const kernel = ffi.load(kernel32)
  const getClassDevs = setup.func(
    'intptr_t __stdcall SetupDiGetClassDevsW(void *guid, void *enumerator, void *window, uint32_t flags)',
  )
  const enumInterfaces = setup.func(
    'int32_t __stdcall SetupDiEnumDeviceInterfaces(intptr_t set, void *info, void *guid, uint32_t index, void *data)',
  )
  const getDetail = setup.func(
    'int32_t __stdcall SetupDiGetDeviceInterfaceDetailW(intptr_t set, void *data, void *detail, uint32_t size, void *required, void *info)',
  )
  const destroyList = setup.func('int32_t __stdcall SetupDiDestroyDeviceInfoList(intptr_t set)')
  const createFile = kernel.func(
    'intptr_t __stdcall CreateFileW(str16 path, uint32_t access, uint32_t share, void *security, uint32_t disposition, uint32_t flags, intptr_t template)',
  )
  const ioControl = kernel.func(
    'int32_t __stdcall DeviceIoControl(intptr_t device, uint32_t code, void *in, uint32_t inSize, void *out, uint32_t outSize, void *returned, void *overlapped)',
  )
  const closeHandle = kernel.func('int32_t __stdcall CloseHandle(intptr_t handle)')
  const getLastError = kernel.func('uint32_t __stdcall GetLastError()')
  const failed = (call: string): EmiError => new EmiError(call, Number(getLastError()))

  function pathOf(set: unknown, data: Buffer): string | undefined {
    const required = Buffer.alloc(4)
    const isAnswered = Number(getDetail(set, data, null, 0, required, null)) !== 0
    if (!isAnswered && Number(getLastError()) !== insufficientBuffer) return undefined
    const detail = Buffer.alloc(Math.max(detailDataBytes, required.readUInt32LE()))
    detail.writeUInt32LE(detailDataBytes)
    if (Number(getDetail(set, data, detail, detail.length, null, null)) === 0) return undefined
    return detail.toString('utf16le', pathOffset).replace(/\0[^]*$/, '')
  }

  function openDevice(path: string): EmiDevice {
    const handle = createFile(path, genericRead, shareAll, null, openExisting, 0, 0)
    if (Number(handle) === invalidHandle) throw failed('CreateFileW')
    let isClosed = false
    return {
      control(code, bytes) {
        const out = Buffer.alloc(bytes)
        const returned = Buffer.alloc(4)
        if (Number(ioControl(handle, code, null, 0, out, bytes, returned, null)) === 0)
          throw failed('DeviceIoControl')
        return out.subarray(0, Math.min(bytes, returned.readUInt32LE()))
      },
      close() {
        if (!isClosed) closeHandle(handle)
        isClosed = true
      },
    }
  }

  return {
    devices() {
      const set = getClassDevs(energyMeterGuid, null, null, presentInterfaces)
      if (Number(set) === invalidHandle) throw failed('SetupDiGetClassDevsW')
      const paths: string[] = []
      try {
        for (let index = 0; index < mostDevices; index += 1) {
          const data = Buffer.alloc(interfaceDataBytes)
          data.writeUInt32LE(interfaceDataBytes)
          if (Number(enumInterfaces(set, null, energyMeterGuid, index, data)) === 0) {
            const end = failed('SetupDiEnumDeviceInterfaces')
            if (end.code === noMoreItems) break
            throw end
          }
          const path = pathOf(set, data)
          if (path !== undefined) paths.push(path)
        }
      } finally {
        destroyList(set)
      }
      return paths
    },
    open: openDevice,
  }
}
