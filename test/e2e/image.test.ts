import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { fakeCounter, fakeSysfs } from '../fixtures/fake-sysfs.ts'
import { deployFolder } from '../fixtures/operations.ts'
import { startChild } from '../fixtures/programs/child.ts'
import { freePort, until } from '../fixtures/programs/prometheus.ts'
import { temporaryFolder } from '../fixtures/programs/temporary-folder.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

const isRun =
  process.platform === 'linux' &&
  process.geteuid?.() === 0 &&
  spawnSync('unshare', ['-m', 'mount', '-o', 'remount,bind,ro', '/']).status === 0 &&
  spawnSync('setpriv', ['--version']).status === 0
if (!isRun)
  console.log(
    'Skipped: what the image holds, without a container. It needs Linux, root, unshare, mount and setpriv.',
  )

const dockerfile = readFileSync(join(deployFolder, 'docker/Dockerfile'), 'utf8').replaceAll('\\\n', ' ')
const instruction = (name: string): string =>
  new RegExp(`^${name} (.*)$`, 'm').exec(dockerfile)?.[1] ?? expect.fail(`the Dockerfile has no ${name}`)

/** Installs the package as the Dockerfile does, from the code that is built already. @returns the folder of its programs */
function install(folder: string): string {
  execFileSync('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], {
    cwd: root,
    stdio: 'pipe',
  })
  const [archive = ''] = readdirSync(folder).filter((name) => name.endsWith('.tgz'))
  execFileSync(
    'npm',
    [
      'install',
      '--global',
      '--silent',
      '--no-fund',
      '--no-audit',
      '--prefix',
      join(folder, 'image'),
      join(folder, archive),
    ],
    { cwd: folder, stdio: 'pipe' },
  )
  return join(folder, 'image/bin')
}

describe.runIf(isRun)('what the image holds', { timeout: 180_000 }, () => {
  it('runs on a file system that cannot be written to, without capabilities, as a user and as root', async () => {
    const folder = temporaryFolder()
    chmodSync(folder, 0o755)
    const programs = install(folder)
    const data = join(folder, 'data')
    mkdirSync(data)
    const sysfs = fakeSysfs()
    const counter = fakeCounter(sysfs, { folder: 'class/powercap/intel-rapl:0' })
    chmodSync(join(sysfs.path, counter.energyFile), 0o400)

    const [user = ''] = instruction('USER').split(':')
    const env = Object.fromEntries(
      instruction('ENV')
        .trim()
        .split(/\s+/)
        .map((pair) => pair.replace(/\/data\b/, data).split('=') as [string, string]),
    )
    const command = [
      ...(JSON.parse(instruction('ENTRYPOINT')) as string[]),
      ...(JSON.parse(instruction('CMD')) as string[]),
    ]
    // As the file's user, and as the DaemonSet has it: the owner of the counters, who may do nothing else.
    for (const [uid, method] of [
      [user, 'estimated'],
      ['0', 'measured'],
    ] as const) {
      const port = await freePort()
      const inside = [
        `mount --make-rprivate / && mount -t tmpfs -o mode=0777 tmpfs ${data}`,
        `mount -o remount,bind,ro / && cd ${data} && ! touch ${folder}/written 2>/dev/null`,
        `exec setpriv --reuid ${uid} --regid ${uid} --clear-groups --bounding-set=-all --inh-caps=-all --no-new-privs "$@"`,
      ].join(' && ')
      const child = startChild('unshare', ['-m', 'sh', '-c', inside, 'sh', ...command], {
        folder,
        env: {
          ...env,
          PATH: `${programs}:${process.env['PATH'] ?? ''}`,
          HOME: '/nonexistent',
          CODECARBON_PROMETHEUS_PORT: String(port),
          CODECARBON_SYSFS_PATH: sysfs.path,
          CODECARBON_OUTPUT_METHODS: 'csv,prometheus_pull',
          CODECARBON_MEASURE_POWER_SECS: '0.2',
        },
        input: '',
      })
      let text = ''
      await until(async () => {
        counter.spend(10)
        text = (await (await fetch(`http://127.0.0.1:${port}/metrics`).catch(() => undefined))?.text()) ?? ''
        return text.includes(`codecarbon_component_energy_joules_total{component="cpu",method="${method}"}`)
      })
      expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200)
      child.process.kill('SIGTERM')
      const { code, stderr } = await child.ended
      expect(code, stderr).toBe(0)
      expect(stderr).not.toMatch(
        /EROFS|EACCES: permission denied, (open|mkdir) '(?!\/sys|\/proc|.*energy_uj)/,
      )
    }
  })
})
