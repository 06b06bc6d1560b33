import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fromMilliwatts } from '../../core/units.ts'
import { readAttribute } from './attribute.ts'
import { openPowerGauge, openProductGauge, type PowerGauge } from './gauge.ts'
import { findHwmonDevices, type HwmonChannel, type HwmonDevice } from './hwmon.ts'

/** A power that a chip on the board measures. */
export interface PowerRail {
  /** Name of the monitor or chip: `ina3221`. */
  readonly monitor: string
  /** What it calls the rail; `undefined` where it has no name. */
  readonly label: string | undefined
  /** Monitor, place and channel, for people. */
  readonly where: string
  readonly identity: string
  /** The file that is read, or one of them. */
  readonly path: string
  open(): PowerGauge
}

/** Monitors that are no rails: what they measure is other probes' business, or none. */
const notRails =
  /^(amdgpu|radeon|nouveau|i915(_gt\d+)?|xe|amd_energy|fam15h_power|ibmpowernv|occ|corsairpsu)$/

/** Power rails of hwmon monitors; where there are none, those of NVIDIA's older kernels. */
export function findPowerRails(sysfsPath: string): readonly PowerRail[] {
  const rails = findHwmonDevices(sysfsPath, (name) => !notRails.test(name)).flatMap((device) =>
    device.channels.flatMap((channel) => railOf(device, channel) ?? []),
  )
  return rails.length > 0 ? rails : findOldJetsonRails(sysfsPath)
}

function railOf(device: HwmonDevice, channel: HwmonChannel): PowerRail | undefined {
  const { name: monitor, identity, folder } = device
  const { id, number, quantity, attributes } = channel
  const where = `${identity}, ${id}`
  if (quantity === 'power') {
    // Some tell limits only.
    const file = attributes.has('average') ? 'average' : attributes.has('input') ? 'input' : undefined
    if (file === undefined) return undefined
    const path = join(folder, `${id}_${file}`)
    const label = channel.label ?? readAttribute(join(folder, `${id}_oem_info`))
    return { monitor, label, where, identity, path, open: () => openPowerGauge(path) }
  }
  // The INA3221 leaves the product to whoever reads it, for its three inputs (hwmon/ina3221.rst); in4 to in7 are voltages at its shunts.
  if (monitor !== 'ina3221' || quantity !== 'in' || number < 1 || number > 3) return undefined
  if (!device.channels.some((other) => other.id === `curr${number}`)) return undefined
  const path = join(folder, `curr${number}_input`)
  const voltage = join(folder, `in${number}_input`)
  return {
    monitor,
    label: channel.label,
    where,
    identity,
    path,
    open: () => openProductGauge(voltage, path),
  }
}

/**
 * `rail_name_<N>` and `in_power<N>_input` (milliwatts) of the driver ina3221x, before JetPack 5 (Jetson Linux Developer Guide 32, "Reading
 * the power with INA3221").
 */
function findOldJetsonRails(sysfsPath: string): readonly PowerRail[] {
  const driver = join(sysfsPath, 'bus/i2c/drivers/ina3221x')
  return list(driver)
    .filter((chip) => /^\d+-[0-9a-f]{4}$/.test(chip))
    .flatMap((chip) =>
      list(join(driver, chip))
        .filter((name) => /^iio[:_]device\d*$/.test(name))
        // The link `iio_device` leads to the same folder.
        .slice(0, 1)
        .flatMap((device) =>
          [0, 1, 2].map((channel) => ({ chip, folder: join(driver, chip, device), channel })),
        ),
    )
    .flatMap(({ chip, folder, channel }) => {
      const label = readAttribute(join(folder, `rail_name_${channel}`))
      const path = join(folder, `in_power${channel}_input`)
      if (readAttribute(path) === undefined) return []
      const identity = `ina3221x at ${chip}`
      const where = `${identity}, power${channel}`
      return [
        {
          monitor: 'ina3221x',
          label,
          where,
          identity,
          path,
          open: () => openPowerGauge(path, fromMilliwatts),
        },
      ]
    })
}

function list(path: string): readonly string[] {
  try {
    return readdirSync(path)
  } catch {
    // No such driver here.
    return []
  }
}
