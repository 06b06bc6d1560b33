/** Access to Windows' energy meter devices; the only part that calls the system. Synchronous, since a read takes microseconds. */
export interface EmiBinding {
  /** Paths of the devices with the interface `GUID_DEVICE_ENERGY_METER` that are present now. @throws EmiError */
  devices(): readonly string[]
  /** @throws EmiError */
  open(path: string): EmiDevice
}

/** An open energy meter device. */
export interface EmiDevice {
  /** Asks with a control code and no input; the answer has at most so many bytes. @throws EmiError */
  control(code: number, bytes: number): Uint8Array
  close(): void
}

/** A call that Windows refused, with its own error number. */
export class EmiError extends Error {
  /** As in winerror.h. */
  readonly code: number

  constructor(call: string, code: number) {
    super(`${call} failed with Windows error ${code}${meanings[code] ?? ''}`)
    this.name = 'EmiError'
    this.code = code
  }
}

const accessDenied = 5
/** ERROR_FILE_NOT_FOUND, _PATH_NOT_FOUND, _INVALID_HANDLE, _NO_SUCH_DEVICE, _DEVICE_NOT_CONNECTED, _DEVICE_REMOVED (winerror.h). */
const goneCodes = [2, 3, 6, 433, 1167, 1617]

/** What a message adds to the numbers that matter here. */
const meanings: Readonly<Record<number, string>> = {
  [accessDenied]: ' (access denied)',
  2: ' (not found)',
  433: ' (no such device)',
  1167: ' (device not connected)',
  1617: ' (device removed)',
}

export const isAccessDenied = (error: unknown): boolean =>
  error instanceof EmiError && error.code === accessDenied

/** True where the device is no longer there. */
export const isDeviceGone = (error: unknown): boolean =>
  error instanceof EmiError && goneCodes.includes(error.code)
