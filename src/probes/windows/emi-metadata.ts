import { fromPicowattHours, type Joules } from '../../core/units.ts'

/**
 * Control codes of emi.h: CTL_CODE(FILE_DEVICE_UNKNOWN, 0 to 3, METHOD_BUFFERED, FILE_READ_ACCESS).
 *
 * @see https://learn.microsoft.com/en-us/windows-hardware/drivers/powermeter/energy-meter-interface
 */
export const emiControl = {
  version: 0x224000,
  metadataSize: 0x224004,
  metadata: 0x224008,
  measurement: 0x22400c,
} as const

/** Bytes of EMI_VERSION (a USHORT), EMI_METADATA_SIZE (a ULONG) and EMI_CHANNEL_MEASUREMENT_DATA (two ULONGLONG). */
export const emiSizes = { version: 2, metadataSize: 4, measurement: 16 } as const

/** EmiMeasurementUnitPicowattHours, the only unit that either version knows. */
const picowattHours = 0
const nameChars = 16
/** WCHAR HardwareOEM[16] and HardwareModel[16]. */
const fixedText = 2 * 2 * nameChars

/** Energy since some beginning, as one channel tells it. */
export interface EmiMeasurement {
  readonly energy: Joules
  /** When it was taken, in units of 100 ns since some beginning; comparable with itself alone. */
  readonly time: bigint
}

export const parseEmiVersion = (bytes: Uint8Array): number => viewOf(bytes).getUint16(0, true)
export const parseEmiMetadataSize = (bytes: Uint8Array): number => viewOf(bytes).getUint32(0, true)

/**
 * Names of the channels of a device, in the order of their measurements.
 *
 * - Version 1, EMI_METADATA_V1: ULONG unit, OEM, model, USHORT revision, USHORT size of the name, the name of the one thing metered.
 * - Version 2, EMI_METADATA_V2: OEM, model, USHORT revision, USHORT number of channels, and as many EMI_CHANNEL_V2, which follow each
 *   other without padding: ULONG unit, USHORT size of the name in bytes, the name. Drivers pad names with zeros or spaces to one length.
 *
 * @throws RangeError where the buffer ends before its contents do, or counts in another unit
 */
export function parseEmiMetadata(version: number, bytes: Uint8Array): readonly string[] {
  const view = viewOf(bytes)
  if (version === 1) {
    expectPicowattHours(view, 0)
    const size = view.getUint16(4 + fixedText + 2, true)
    return [textAt(view, 4 + fixedText + 4, size)]
  }
  const count = view.getUint16(fixedText + 2, true)
  const names: string[] = []
  let offset = fixedText + 4
  for (let channel = 0; channel < count; channel += 1) {
    expectPicowattHours(view, offset)
    const size = view.getUint16(offset + 4, true)
    names.push(textAt(view, offset + 6, size))
    offset += 6 + size
  }
  return names
}

/** One measurement per channel. @throws RangeError where there are fewer */
export function parseEmiMeasurement(bytes: Uint8Array, channels: number): readonly EmiMeasurement[] {
  const view = viewOf(bytes)
  return Array.from({ length: channels }, (_, channel) => {
    const offset = channel * emiSizes.measurement
    // Exact up to 32 MJ, and to 10 nJ a thousand times beyond.
    const energy = fromPicowattHours(Number(view.getBigUint64(offset, true)))
    return { energy, time: view.getBigUint64(offset + 8, true) }
  })
}

/** Energy at which an unsigned 64-bit number of picowatt-hours starts again. */
export const emiRange: Joules = fromPicowattHours(2 ** 64)

function expectPicowattHours(view: DataView, offset: number): void {
  const unit = view.getUint32(offset, true)
  if (unit !== picowattHours) throw new RangeError(`the energy meter counts in a unit of number ${unit}`)
}

/** UTF-16 text of so many bytes, up to its end. */
function textAt(view: DataView, offset: number, size: number): string {
  const chars = Array.from({ length: Math.floor(size / 2) }, (_, char) =>
    view.getUint16(offset + 2 * char, true),
  )
  const end = chars.indexOf(0)
  return String.fromCharCode(...(end < 0 ? chars : chars.slice(0, end))).trim()
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
