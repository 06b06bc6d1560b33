// Which versions of a framework are tried, and where they are installed.
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cacheFolder } from './newer-node.js'

/** @typedef {import('./frameworks.js').Framework} Framework */
/** @typedef {{ framework: Framework, range: string, version: string, isSupported: boolean }} Case */

const cache = join(cacheFolder, 'codecarbon-ci/frameworks')
const execute = promisify(execFile)

/** The oldest and the newest version of each supported major, and the last one before all of them. @param {Framework} framework @returns {Promise<Case[]>} */
export async function casesOf(framework) {
  const { isInRange } = await import('../build/integrations/register/version-range.js')
  const range = await rangeOf(framework)
  const released = await releasesOf(framework.package)
  const supported = released.filter((version) => isInRange(version, range))
  const oldest = supported.filter((version, index) => majorOf(version) !== majorOf(supported[index - 1]))
  const newest = supported.filter((version, index) => majorOf(version) !== majorOf(supported[index + 1]))
  const versions = [...new Set(oldest.flatMap((version, index) => [version, newest[index] ?? version]))]
  const cases = versions.map((version) => ({ framework, range, version, isSupported: true }))
  const before = released[released.indexOf(versions[0] ?? '') - 1]
  if (framework.leftAlone === undefined || before === undefined) return cases
  return [...cases, { framework, range, version: before, isSupported: false }]
}

/** What its hook knows, or else what is tried. @param {Framework} framework @returns {Promise<string>} */
export async function rangeOf({ name, hook, range }) {
  const { knownHooks } = await import('../build/integrations/register/known-hooks.js')
  const versions = (await knownHooks.find((known) => known.name === hook)?.load())?.versions
  const found = versions ?? range
  if (found === undefined) throw new Error(`nothing says which versions of ${name} are supported`)
  return found
}

const majorOf = (/** @type {string | undefined} */ version) => version?.split('.')[0]

/** All releases, oldest first: from the registry, or as they were when that answered last. @param {string} packageName @returns {Promise<string[]>} */
async function releasesOf(packageName) {
  const kept = join(cache, `${packageName.replace('/', '+')}.json`)
  try {
    const { stdout } = await execute('npm', ['view', packageName, 'versions', '--json'])
    mkdirSync(cache, { recursive: true })
    writeFileSync(kept, stdout)
  } catch (error) {
    if (!existsSync(kept)) throw error
  }
  const versions = /** @type {string[]} */ (JSON.parse(readFileSync(kept, 'utf8')))
  return versions.filter((version) => /^[\d.]+$/.test(version)).toSorted(byNumbers)
}

/** @param {string} a @param {string} b */
const byNumbers = (a, b) => a.localeCompare(b, 'en', { numeric: true })

/** @param {Case} one */
export async function install({ framework, version, isSupported }) {
  const folder = folderOf({ framework, version })
  const others = (isSupported ? framework.others?.(version) : framework.leftAlone?.others) ?? []
  const packages = [`${framework.package}@${version}`, ...others]
  const stamp = join(folder, 'installed')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === packages.join()) return
  const half = `${folder}.${process.pid}`
  rmSync(half, { recursive: true, force: true })
  mkdirSync(half, { recursive: true })
  writeFileSync(join(half, 'package.json'), '{ "private": true }')
  const flags = ['--no-fund', '--no-audit', '--loglevel=error', '--no-save']
  if (framework.ignoresScripts) flags.push('--ignore-scripts')
  await execute('npm', ['install', ...flags, ...packages], { cwd: half })
  writeFileSync(join(half, 'installed'), packages.join())
  rmSync(folder, { recursive: true, force: true })
  renameSync(half, folder)
}

/** @param {Pick<Case, 'framework' | 'version'>} one */
export const folderOf = ({ framework, version }) => join(cache, `${framework.name}@${version}`)
