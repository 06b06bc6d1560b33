import { existsSync, readFileSync } from 'node:fs'
import { posix, win32 } from 'node:path'
import { ProbeUnavailable } from '../../core/errors.ts'

/** Where the library is looked for. */
export interface NvmlLibraryOptions {
  /** The library to load, whatever else there is. */
  readonly libraryPath?: string | undefined
  /** @default process.platform */
  readonly platform?: NodeJS.Platform
  /** @default process.env */
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** @default what the file system says */
  readonly exists?: (path: string) => boolean
  /** Whether the loader of the system finds a library by its name. @default what its cache says */
  readonly loaderKnows?: (name: string) => boolean
}

const soname = 'libnvidia-ml.so.1'
/** What helps where the library that the user named is of no use. */
export const otherLibrary =
  "name the driver's libnvidia-ml.so.1 (on Windows nvml.dll) with nvml_library_path, or leave the option out"

/** Where drivers and container runtimes put it; the last ones are those of Windows' Linux and of NixOS. */
const linuxFolders = [
  '/usr/lib/x86_64-linux-gnu',
  '/usr/lib/aarch64-linux-gnu',
  '/usr/lib/powerpc64le-linux-gnu',
  '/usr/lib64',
  '/usr/lib',
  '/usr/local/nvidia/lib64',
  '/usr/local/nvidia/lib',
  '/usr/lib64-nvidia',
  '/usr/lib/wsl/lib',
  '/run/opengl-driver/lib',
]

/**
 * The NVML library of this machine: a path, or the name by which the system's loader finds it. Looks at files alone; nothing is loaded.
 *
 * @throws ProbeUnavailable where there is none
 */
export function findNvmlLibrary(options: NvmlLibraryOptions = {}): string {
  const { libraryPath, platform = process.platform, environment = process.env } = options
  const { exists = existsSync, loaderKnows = isInLoaderCache } = options
  if (libraryPath !== undefined) {
    const isName = !/[\\/]/.test(libraryPath)
    if (isName || exists(libraryPath)) return libraryPath
    throw new ProbeUnavailable(`nvml_library_path: there is no file ${libraryPath}`, otherLibrary)
  }
  if (platform !== 'linux' && platform !== 'win32') {
    throw new ProbeUnavailable(`there is no NVML library for ${platform}`)
  }
  const candidates = platform === 'linux' ? linuxCandidates(environment) : windowsCandidates(environment)
  const found = candidates.find((path) => exists(path))
  if (found !== undefined) return found
  if (platform === 'linux' && loaderKnows(soname)) return soname
  throw new ProbeUnavailable(
    `no NVML library: the NVIDIA driver's ${platform === 'linux' ? soname : 'nvml.dll'} is not in the usual places`,
    'install the NVIDIA driver, start the container with its runtime (docker run --gpus all), or name the library with nvml_library_path',
  )
}

/** As the loader looks: what the user named first. */
function linuxCandidates({ LD_LIBRARY_PATH }: NodeJS.ProcessEnv): readonly string[] {
  const named = (LD_LIBRARY_PATH ?? '').split(/[:;]/).filter((folder) => folder !== '')
  return [...named, ...linuxFolders].map((folder) => posix.join(folder, soname))
}

/** Drivers since 2018 put it in System32, older ones in a folder of their own. */
function windowsCandidates({ SystemRoot, ProgramFiles }: NodeJS.ProcessEnv): readonly string[] {
  return [
    win32.join(SystemRoot ?? 'C:\\Windows', 'System32', 'nvml.dll'),
    win32.join(ProgramFiles ?? 'C:\\Program Files', 'NVIDIA Corporation', 'NVSMI', 'nvml.dll'),
  ]
}

/** The cache of ld.so holds the names of all the libraries it finds, as text among numbers (ldconfig(8)). */
function isInLoaderCache(name: string): boolean {
  try {
    return readFileSync('/etc/ld.so.cache').includes(name)
  } catch {
    // musl has no cache, and then no name is known.
    return false
  }
}
