import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fromMicrowatts, type Joules } from '../../core/units.ts'
import { readAttribute } from './attribute.ts'
import { NothingToTell, openAfter, type Gauge } from './gauge.ts'
import type { PseudoFile } from './pseudo-file.ts'

/**
 * A gauge of a device that the kernel switches off while nobody needs it, as graphics cards of laptops. Their drivers wake them to be read
 * (amdgpu, i915 and xe take a runtime reference for it), so that looking would cost more than it tells. A counter stands still meanwhile;
 * without mains power (D3cold, PCI Express base specification, section 5.3) nothing is drawn; in any other sleep nobody can say.
 *
 * @param device folder of the device, with `power/runtime_status` and `power_state` (kernel documentation: ABI/testing/sysfs-devices-power)
 */
export function letSleep(gauge: Gauge, device: string): Gauge {
  const statusPath = join(device, 'power/runtime_status')
  if (!existsSync(statusPath)) return gauge
  const status = openAfter(gauge, statusPath)
  const close = (): void => {
    gauge.close()
    status.close()
  }
  if (gauge.quantity === 'power') {
    return {
      quantity: 'power',
      read() {
        if (!isSuspended(status)) return gauge.read()
        if (isWithoutPower(device)) return fromMicrowatts(0)
        throw new NothingToTell('it is asleep, and asking it would wake it', { isNews: true })
      },
      close,
    }
  }
  let last: Joules | undefined
  return {
    quantity: 'energy',
    read() {
      if (last === undefined || !isSuspended(status)) last = gauge.read()
      return last
    },
    close,
  }
}

/** Whether the kernel has switched a device off for now. */
export const isAsleep = (device: string): boolean =>
  readAttribute(join(device, 'power/runtime_status')) === 'suspended'

const isSuspended = (status: PseudoFile): boolean => status.text().startsWith('suspended')

const isWithoutPower = (device: string): boolean => readAttribute(join(device, 'power_state')) === 'D3cold'
