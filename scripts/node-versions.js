// Runs the built package's smoke test under every Node line that is supported. The binaries come from the `node` package on npm and are
// kept outside the repository.
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeReady, root } from './ready.js'

const versions = ['20.19', '22', '24', '26']
const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'codecarbon-node')

makeReady()
const project = mkdtempSync(join(tmpdir(), 'codecarbon-smoke-'))
let failures = 0
try {
  installPackage()
  for (const version of versions) {
    const node = fetchNode(version)
    const { status, stdout, stderr } = spawnSync(node, ['smoke.js'], { cwd: project, encoding: 'utf8' })
    const { stdout: required, status: requireStatus } = spawnSync(node, ['smoke.cjs'], {
      cwd: project,
      encoding: 'utf8',
    })
    const isGood = status === 0 && requireStatus === 0 && stdout.startsWith('ok') && required.startsWith('ok')
    if (!isGood) failures += 1
    console.log(
      `node ${version.padEnd(6)} ${isGood ? stdout.trim() : `FAILED\n${stdout}${required}${stderr}`}`,
    )
  }
} finally {
  rmSync(project, { recursive: true, force: true })
}
console.log(`node versions: ${versions.length - failures} passed, ${failures} failed`)
process.exitCode = failures === 0 ? 0 : 1

/** Installs the packed package, as a user would get it, with the two programs to run. */
function installPackage() {
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
  npm(project, 'install', join(project, packed.filename))
  for (const file of ['smoke.js', 'smoke.cjs']) cpSync(join(root, 'test/smoke', file), join(project, file))
}

/** @param {string} version @returns {string} path of the binary */
function fetchNode(version) {
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
function npm(folder, ...args) {
  execFileSync('npm', [...args, '--no-fund', '--no-audit', '--loglevel=error'], {
    cwd: folder,
    stdio: 'ignore',
  })
}
