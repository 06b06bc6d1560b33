// Servers that job runners keep their jobs in, on ports of this machine that are free.
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * A server that listens.
 * @typedef {{ readonly address: string, readonly port: number, stop(): Promise<void> }} Server
 */

/** Where Debian keeps the programs that are for servers alone. */
const debian = '/usr/lib/postgresql'

/** The folder of the programs of PostgreSQL; `undefined` where they are not installed. @returns {string | undefined} */
export function postgresPrograms() {
  const versions = existsSync(debian) ? readdirSync(debian).toSorted().toReversed() : []
  const folders = [
    ...(process.env['PATH'] ?? '').split(':'),
    ...versions.map((version) => join(debian, version, 'bin')),
  ]
  return folders.find((folder) => ['initdb', 'postgres'].every((name) => existsSync(join(folder, name))))
}

/** Root may not run a PostgreSQL: another user does, that of Debian's package where there is one. */
function otherUser() {
  if (process.getuid?.() !== 0) return undefined
  const { stdout, status } = spawnSync('id', ['-u', 'postgres'], { encoding: 'utf8' })
  return status === 0 ? Number(stdout) : 65534
}

/**
 * A Redis that keeps everything in memory.
 * @param {string} folder its working directory; made where it is missing
 * @returns {Promise<Server>}
 */
export async function startRedis(folder) {
  mkdirSync(folder, { recursive: true })
  const port = await freePort()
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
  const stop = await start('redis-server', args, folder, 'Ready to accept connections')
  return { address: `redis://127.0.0.1:${port}`, port, stop }
}

/**
 * A PostgreSQL with an empty database, in a folder of its own.
 * @param {string} programs the folder of its programs
 * @returns {Promise<Server>}
 */
export async function startPostgres(programs) {
  const folder = mkdtempSync(join(tmpdir(), 'codecarbon-postgres-'))
  const user = otherUser()
  if (user !== undefined) chownSync(folder, user, user)
  /** @param {string} program @param {string[]} args @returns {[command: string, args: string[]]} */
  const run = (program, args) => {
    const path = join(programs, program)
    return user === undefined
      ? [path, args]
      : ['setpriv', [`--reuid=${user}`, `--regid=${user}`, '--clear-groups', path, ...args]]
  }
  const data = join(folder, 'data')
  const [initdb, initArgs] = run('initdb', ['-D', data, '-U', 'postgres', '--auth=trust', '--no-sync'])
  execFileSync(initdb, initArgs, { cwd: folder, stdio: 'pipe' })
  const port = await freePort()
  const [server, args] = run('postgres', [
    ...['-D', data, '-p', String(port), '-h', '127.0.0.1', '-k', folder],
    ...['-c', 'fsync=off'],
  ])
  const stop = await start(server, args, folder, 'database system is ready to accept connections')
  return {
    address: `postgres://postgres@127.0.0.1:${port}/postgres`,
    port,
    async stop() {
      await stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/**
 * @param {string} command @param {string[]} args @param {string} cwd @param {string} ready what it prints when it listens
 * @returns what stops it
 */
async function start(command, args, cwd, ready) {
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  let printed = ''
  await new Promise((resolve, reject) => {
    const look = (/** @type {Buffer} */ text) => {
      printed += text.toString()
      if (printed.includes(ready)) resolve(undefined)
    }
    child.stdout.on('data', look)
    child.stderr.on('data', look)
    child.once('error', reject)
    child.once('exit', () => reject(new Error(`${command} ended without listening: ${printed}`)))
  })
  return async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGINT')
    await once(child, 'exit')
  }
}

/** @returns {Promise<number>} */
async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  server.close()
  await once(server, 'close')
  return port
}
