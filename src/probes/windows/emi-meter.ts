import type { EmiBinding, EmiDevice } from './emi-binding.ts'
import {
  emiControl,
  emiSizes,
  parseEmiMeasurement,
  parseEmiMetadata,
  parseEmiMetadataSize,
  parseEmiVersion,
  type EmiMeasurement,
} from './emi-metadata.ts'

/** An energy meter that was opened and said what its channels are. */
export interface EmiMeter {
  readonly channels: readonly string[]
  /** All channels at one moment. @throws EmiError, RangeError */
  measure(): readonly EmiMeasurement[]
  close(): void
}

/** No driver has this much to say: a size beyond it is a misreading. */
const longestMetadata = 64 * 1024
const knownVersions = [1, 2]

/** Opens a device and reads its metadata. @throws EmiError, RangeError */
export function openEmiMeter(binding: EmiBinding, path: string): EmiMeter {
  const device = binding.open(path)
  try {
    const channels = readChannels(device)
    return {
      channels,
      measure: () =>
        parseEmiMeasurement(
          device.control(emiControl.measurement, channels.length * emiSizes.measurement),
          channels.length,
        ),
      close() {
        device.close()
      },
    }
  } catch (error) {
    device.close()
    throw error
  }
}

function readChannels(device: EmiDevice): readonly string[] {
  const version = parseEmiVersion(device.control(emiControl.version, emiSizes.version))
  if (!knownVersions.includes(version))
    throw new RangeError(`energy meters of version ${version} are not known`)
  const size = parseEmiMetadataSize(device.control(emiControl.metadataSize, emiSizes.metadataSize))
  if (size === 0 || size > longestMetadata) throw new RangeError(`its metadata is said to have ${size} bytes`)
  return parseEmiMetadata(version, device.control(emiControl.metadata, size))
}
