// What scripts need that try the package under other versions of Node than that of this process.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { root } from './ready.js'

/** Where programs keep what they can make again, outside of the repository. */
export const cacheFolder = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache')
const cache = join(cacheFolder, 'codecarbon-node')

/**
 * Installs the packed package into a project, as a user would get it, with others.
 * @param {string} project @param {...string} others
 */
export function installPacked(project, ...others) {
  const [packed] = JSON.parse(
    execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', project], {
      cwd: root,
      encoding: 'utf8',
    }),
  )
  writeFileSync(
    join(project, 'package.json'),
    JSON.stringify({ name: 'smoke', private: true, type: 'module' }),
  )
  npm(project, 'install', join(project, packed.filename), ...others)
}

/**
 * A version of Node from the `node` package on npm.
 * @param {string} version @returns {string} path of the binary
 */
export function fetchNode(version) {
  const folder = join(cache, version)
  // The `node` package only picks one of these, by an install script that many npm settings forbid.
  const prefix = process.platform === 'darwin' && process.arch === 'arm64' ? 'node-bin' : 'node'
  const name = [prefix, process.platform === 'win32' ? 'win' : process.platform, process.arch].join('-')
  const binary = join(
    folder,
    'node_modules',
    name,
    process.platform === 'win32' ? 'bin/node.exe' : 'bin/node',
  )
  if (!existsSync(binary)) {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'runtime', private: true }))
    npm(folder, 'install', `${name}@${version}`)
  }
  return binary
}

/** @param {string} folder @param {...string} args */
export function npm(folder, ...args) {
  execFileSync('npm', [...args, '--no-fund', '--no-audit', '--loglevel=error'], {
    cwd: folder,
    stdio: 'ignore',
  })
}
