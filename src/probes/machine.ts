import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, machine, release, totalmem, type } from 'node:os'
import { join } from 'node:path'
import type { LoadSource } from '../core/load.ts'
import { seconds } from '../core/units.ts'
import { parseBrandString } from './macos/brand-string.ts'
import { parseProcessorIdentifier } from './windows/processor-identifier.ts'
import { parseCpuInfo, type CpuInfo } from './linux/cpuinfo.ts'

/** The facts of this machine that figures are stated with. */
export interface Machine {
  readonly cpu: CpuInfo
  readonly memoryBytes: number | undefined
  /** System, release and architecture: `Linux-6.1.0-x86_64`. */
  readonly os: string
}

/** Looks at the machine once. On Linux through procfs alone, so that a given `procfs_path` tells of that machine and no other. */
export function describeMachine(procfsPath: string, load: LoadSource | undefined): Machine {
  const os = [type(), release(), machine()].join('-')
  if (process.platform === 'linux') {
    const cpu = parseCpuInfo(readCpuInfo(procfsPath))
    const logicalCpus = cpu.logicalCpus > 0 ? cpu.logicalCpus : availableParallelism()
    return { cpu: { ...cpu, logicalCpus }, memoryBytes: load?.read(seconds(0)).memoryTotalBytes, os }
  }
  const list = cpus()
  const modelName = list[0]?.model.trim()
  const cpu = {
    ...(modelName === undefined ? {} : { modelName }),
    logicalCpus: list.length,
    isVirtual: false,
    ...identityOf(process.platform, modelName),
  }
  return { cpu, memoryBytes: totalmem(), os }
}

/** What macOS and Windows tell of a processor besides its name, which a virtual machine may mask. */
function identityOf(platform: NodeJS.Platform, modelName: string | undefined): Partial<CpuInfo> {
  if (platform === 'darwin') return parseBrandString(modelName ?? '')
  return platform === 'win32' ? parseProcessorIdentifier(process.env['PROCESSOR_IDENTIFIER']) : {}
}

function readCpuInfo(procfsPath: string): string {
  try {
    return readFileSync(join(procfsPath, 'cpuinfo'), 'latin1')
  } catch {
    // No procfs, no name: the power model then says that it assumes one.
    return ''
  }
}
