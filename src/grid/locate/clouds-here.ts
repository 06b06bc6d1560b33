import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The clouds whose metadata can be asked. */
export type Cloud = 'aws' | 'azure' | 'gcp'

/** The clouds that this machine may be of. */
export interface CloudsHere {
  readonly clouds: readonly Cloud[]
  /** `false`: nobody knows what machine this is. */
  readonly isSure: boolean
}

/** Files of the firmware's description (SMBIOS) that everybody may read. */
const files = ['sys_vendor', 'product_name', 'board_vendor', 'chassis_asset_tag', 'bios_version'] as const

/** What a cloud's firmware says. */
const signs: Readonly<
  Record<Cloud, (dmi: Readonly<Partial<Record<(typeof files)[number], string>>>) => boolean>
> = {
  // The second is what instances on Xen say, such as t2: `4.11.amazon`
  // (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/identify_ec2_instances.html).
  aws: (dmi) =>
    dmi.sys_vendor === 'Amazon EC2' ||
    dmi.board_vendor === 'Amazon EC2' ||
    (dmi.bios_version ?? '').endsWith('.amazon'),
  // "MSFT AZURE VM" in numbers, which other machines of Hyper-V do not have (cloud-init, `DataSourceAzure.py`).
  azure: (dmi) => dmi.chassis_asset_tag === '7783-7084-3265-9085-8269-3286-77',
  // Not the vendor: Chromebooks have the same (google-cloud-go, `compute/metadata`).
  gcp: (dmi) => dmi.product_name === 'Google Compute Engine' || dmi.product_name === 'Google',
}

const all: readonly Cloud[] = ['aws', 'azure', 'gcp']

/** Which clouds the firmware tells of: none for other machines, each where there is no such description, as in most micro-VMs. */
export function cloudsHere(sysfsPath: string): CloudsHere {
  const dmi = Object.fromEntries(
    files.flatMap((file) => {
      const text = textIn(join(sysfsPath, 'class/dmi/id', file))
      return text === undefined ? [] : [[file, text] as const]
    }),
  )
  if (Object.keys(dmi).length === 0) return { clouds: all, isSure: false }
  return { clouds: all.filter((cloud) => signs[cloud](dmi)), isSure: true }
}

function textIn(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    // Not there, or not for us to read.
    return undefined
  }
}
