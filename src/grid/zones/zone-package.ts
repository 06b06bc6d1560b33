import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, sep } from 'node:path'
import { messageOf } from '../../core/errors.ts'
import { fieldsOf } from '../live/json-fields.ts'

/** The package that republishes yearly figures of Electricity Maps, under ODbL. */
export const zonePackage = '@tgwf/co2'

/** From where it is looked for. */
export interface LookFrom {
  /** The file of the program that runs; `undefined` where there is none. */
  readonly program: string | undefined
  /** The package.json of this package. */
  readonly own: string
}

/** Where it is. */
export interface FoundPackage {
  /** The file that exports the figures. */
  readonly entry: string
  /** As it stands in its package.json. */
  readonly version: string | undefined
}

/**
 * Finds the package where the program that runs, or the project that this package is installed in, names it among its dependencies. That it
 * lies in `node_modules` for the sake of some other package is not enough: figures would change with things that have nothing to do with
 * them. Beside a package that is installed for all programs (`npm install --global`) there is nothing but what somebody put there. The
 * working directory has no say: whoever measures a command there may not trust the code there.
 *
 * @throws Error where it is there and cannot give figures
 */
export function findZonePackage({ program, own }: LookFrom): FoundPackage | undefined {
  const home = projectOf(own)
  const projects = [...(program === undefined ? [] : nearestProject(realPath(program))), home]
  const from = projects.find(names) ?? (existsSync(home) ? undefined : own)
  const entry = from === undefined ? undefined : resolveEntry(from)
  return entry === undefined ? undefined : { entry, version: versionAbove(entry) }
}

/** The package.json of the project that a package is installed in, beside the outermost `node_modules`; its own where it is in none. */
function projectOf(own: string): string {
  const parts = own.split(sep)
  const depth = parts.indexOf('node_modules')
  return depth < 0 ? own : [...parts.slice(0, depth), 'package.json'].join(sep)
}

/** The nearest package.json above a file, but for those of installed packages. What lies further up may be somebody else's. */
function nearestProject(file: string): string[] {
  const folder = dirname(file)
  if (folder === file) return []
  const packageJson = join(folder, 'package.json')
  const isInstalled = folder.split(sep).includes('node_modules')
  return !isInstalled && existsSync(packageJson) ? [packageJson] : nearestProject(folder)
}

function realPath(file: string): string {
  try {
    return realpathSync(file)
  } catch {
    // `node main` where there is a main.js.
    return file
  }
}

const listsOfDependencies = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies']

function names(packageJson: string): boolean {
  const fields = readFields(packageJson)
  return listsOfDependencies.some((list) => Object.hasOwn(fieldsOf(fields[list]), zonePackage))
}

/** What a package.json says: nothing where it is not there, or cannot be read. */
function readFields(packageJson: string): Readonly<Record<string, unknown>> {
  try {
    return fieldsOf(JSON.parse(readFileSync(packageJson, 'utf8')))
  } catch {
    return {}
  }
}

function resolveEntry(from: string): string | undefined {
  const request = `${zonePackage}/data/electricity-maps`
  try {
    return createRequire(from).resolve(request)
  } catch (error) {
    const code = fieldsOf(error)['code']
    // Else it is a file of the package that is missing.
    if (code === 'MODULE_NOT_FOUND' && messageOf(error).includes(`'${request}'`)) return undefined
    if (code === 'ERR_PACKAGE_PATH_NOT_EXPORTED') throw new Error('it is older than 0.18', { cause: error })
    throw error
  }
}

/** It exports no package.json of its own, and has others inside. */
function versionAbove(entry: string): string | undefined {
  const folder = dirname(entry)
  if (folder === entry) return undefined
  const { name, version } = readFields(join(folder, 'package.json'))
  if (name !== zonePackage) return versionAbove(folder)
  return typeof version === 'string' && /^[\w.+-]{1,40}$/.test(version) ? version : undefined
}
