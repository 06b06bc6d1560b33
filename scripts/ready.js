// Makes a clone ready: installs what the lock file names and compiles, each only where it is needed. Node and npm alone are enough.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))
const stamp = join(root, 'node_modules/.cache/codecarbon-installed')

/** Runs a program with our own streams. Ends this one with its status where it fails. @param {string} command @param {string[]} args */
export function must(command, args) {
  // On Windows npm and the tools are .cmd files, which only a shell starts.
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  })
  if (error !== undefined) console.error(`${command}: ${error.message}`)
  if (status !== 0) process.exit(status ?? 1)
}

/** Runs a tool of node_modules/.bin. @param {string} name @param {string[]} args */
export function tool(name, ...args) {
  must(join(root, 'node_modules/.bin', name), args)
}

/** Installs and compiles where needed. */
export function makeReady() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major < 20 || (major === 20 && minor < 19)) {
    console.error(`Node.js 20.19 or later is needed; this is ${process.version}`)
    process.exit(1)
  }
  install()
  compile()
}

function install() {
  const wanted = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  console.error('Installing dependencies …')
  must('npm', ['ci', '--no-fund', '--no-audit', '--loglevel=error'])
  mkdirSync(join(root, 'node_modules/.cache'), { recursive: true })
  writeFileSync(stamp, wanted)
}

function compile() {
  // Written after the last successful compilation; outside dist, which is published.
  const built = join(root, 'node_modules/.cache/codecarbon-built')
  const newest = Math.max(...compiledFrom().map((file) => statSync(file).mtimeMs))
  const isCurrent =
    existsSync(join(root, 'dist/index.js')) && existsSync(built) && statSync(built).mtimeMs >= newest
  if (isCurrent) return
  console.error('Compiling …')
  rmSync(join(root, 'dist'), { recursive: true, force: true })
  rmSync(join(root, 'build'), { recursive: true, force: true })
  build()
  writeFileSync(built, '')
}

/** The files that dist/ is made from; the lock file stands for the packages that are bundled. */
export function compiledFrom() {
  const others = ['tsconfig.json', 'tsconfig.build.json', 'package.json', 'package-lock.json']
  const scripts = ['ready.js', 'bundle.js', 'bundled-packages.js'].map((name) => `scripts/${name}`)
  return [...filesBelow(join(root, 'src')), ...[...others, ...scripts].map((name) => join(root, name))]
}

/** Declarations with their comments, then code without them: what a program loads is a third smaller so. */
export function build() {
  tool('tsc', '-p', 'tsconfig.build.json')
  const codeAlone = ['--declaration', 'false', '--isolatedDeclarations', 'false', '--removeComments']
  tool('tsc', '-p', 'tsconfig.build.json', ...codeAlone)
  must(process.execPath, [join(root, 'scripts/bundle.js')])
}

/** @param {string} folder @returns {string[]} */
function filesBelow(folder) {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((file) => statSync(file).isFile())
}
