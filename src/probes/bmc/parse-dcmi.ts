import { watts, type Watts } from '../../core/units.ts'

/**
 * The power in what `ipmitool dcmi power reading` writes (ipmi_dcmi.c of ipmitool 1.8; DCMI specification 1.5, "Get Power Reading"):
 *
 *     Instantaneous power reading:                   220 Watts
 *     Minimum during sampling period:                140 Watts
 *     …
 *     Power reading state is:                   activated
 *
 * @throws Error where it says no power, or that its readings are not activated
 */
export function parseDcmiPower(output: string): Watts {
  if (/power reading state is:\s*deactivated/i.test(output)) {
    throw new Error('the controller has its power readings deactivated')
  }
  const said = /^\s*instantaneous power reading:\s*(\d+(?:\.\d+)?)\s*watts\s*$/im.exec(output)?.[1]
  if (said === undefined) throw new Error('the controller told no power')
  return watts(Number(said))
}
