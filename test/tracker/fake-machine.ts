import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '../fixtures/programs/temporary-folder.ts'

/** A machine made of files: one package and one memory counter, four CPUs, 16 GiB. */
export interface FakeMachine {
  readonly folder: string
  /** Where rows go. */
  readonly outputDir: string
  readonly options: {
    readonly sysfsPath: string
    readonly procfsPath: string
    readonly outputDir: string
    readonly logLevel: 'error'
    readonly countryIsoCode: 'FRA'
    /** It shares no reporter with this machine. */
    readonly hostReporterGroup: string
  }
  /** Lets the package, or the memory, use some joules. */
  use(joules: number, zone?: 'package-0' | 'dram'): void
  /** Puts anything in the place of the package's counter. */
  breakCounter(text: string): void
}

const zones = {
  'package-0': 'class/powercap/intel-rapl:0',
  dram: 'class/powercap/intel-rapl:0:0',
}

/** Makes such a machine below a temporary folder. Call it inside a test. */
export function fakeMachine(folder = temporaryFolder()): FakeMachine {
  const sysfsPath = join(folder, 'sys')
  const procfsPath = join(folder, 'proc')
  const outputDir = join(folder, 'out')
  const put = (path: string, text: string): void => {
    mkdirSync(join(path, '..'), { recursive: true })
    writeFileSync(path, text)
  }
  const microjoules = { 'package-0': 1_000_000, dram: 2_000_000 }
  const write = (zone: keyof typeof zones): void => {
    put(join(sysfsPath, zones[zone], 'energy_uj'), `${microjoules[zone]}\n`)
  }
  for (const [name, zone] of Object.entries(zones)) {
    put(join(sysfsPath, zone, 'name'), `${name}\n`)
    put(join(sysfsPath, zone, 'max_energy_range_uj'), '262143328850\n')
  }
  write('package-0')
  write('dram')
  put(join(procfsPath, 'stat'), 'cpu  1000 0 500 8500 0 0 0 0 0 0\n')
  put(join(procfsPath, 'meminfo'), 'MemTotal:       16777216 kB\nMemAvailable:   12582912 kB\n')
  const cpu = (id: number): string =>
    `processor\t: ${id}\nvendor_id\t: GenuineIntel\nphysical id\t: 0\nmodel name\t: Intel(R) Core(TM) i7-8650U CPU @ 1.90GHz\n`
  put(join(procfsPath, 'cpuinfo'), [0, 1, 2, 3].map(cpu).join('\n'))
  return {
    folder,
    outputDir,
    options: {
      sysfsPath,
      procfsPath,
      outputDir,
      logLevel: 'error',
      countryIsoCode: 'FRA',
      hostReporterGroup: folder,
    },
    use(joules, zone = 'package-0') {
      microjoules[zone] += joules * 1e6
      write(zone)
    },
    breakCounter(text) {
      put(join(sysfsPath, zones['package-0'], 'energy_uj'), text)
    },
  }
}
