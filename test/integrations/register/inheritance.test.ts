import { chmodSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { readTable } from '../../fixtures/csv/table.ts'
import { startChild, startCli, type Child } from '../../fixtures/programs/child.ts'
import { node, packageRoot, preload, programPath } from '../../fixtures/programs/register/preload.ts'
import { temporaryFolder } from '../../fixtures/programs/temporary-folder.ts'

let folder: string

beforeEach(() => {
  folder = temporaryFolder()
  mkdirSync(join(folder, 'tmp'))
})

const environment = (env: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> => ({
  TMPDIR: join(folder, 'tmp'),
  CODECARBON_LOG_LEVEL: 'warning',
  ...env,
})

const start = (program: string, env: Readonly<Record<string, string>> = {}): Child => {
  writeFileSync(join(folder, 'program.cjs'), program)
  return startChild(node, [join(folder, 'program.cjs')], {
    folder,
    input: '',
    env: environment({ NODE_OPTIONS: `--import ${preload}`, ...env }),
  })
}

const rows = (): Record<string, string>[] => readTable(join(folder, 'emissions.csv'))

/** Each waits for its child, and prints what it printed. */
const programs: Readonly<Record<string, string>> = {
  fork: `const { fork } = require('child_process')
    if (process.send === undefined) fork(__filename).once('exit', (code) => console.log('child ended', code))
    else process.disconnect()`,
  spawn: `const { spawn } = require('child_process')
    if (process.argv[2] === undefined)
      spawn(process.execPath, [__filename, 'child']).once('exit', (code) => console.log('child ended', code))`,
  'spawn with the same arguments': `const { spawn } = require('child_process')
    if (process.argv[2] === undefined)
      spawn(process.execPath, [...process.execArgv, __filename, 'child']).once('exit', (code) => console.log('child ended', code))`,
  'a shell': `const { exec } = require('child_process')
    exec(JSON.stringify(process.execPath) + ' -e 0 && ' + JSON.stringify(process.execPath) + ' -e 0').once('exit', (code) => console.log('child ended', code))`,
  cluster: `const cluster = require('cluster')
    if (cluster.isPrimary) { cluster.fork(); cluster.fork().once('exit', (code) => console.log('child ended', code)) }
    else cluster.worker.disconnect()`,
  'a thread': `const { Worker, isMainThread } = require('worker_threads')
    if (isMainThread) new Worker(__filename).once('exit', (code) => console.log('child ended', code))`,
  'a thread with an environment of its own': `const { Worker, isMainThread } = require('worker_threads')
    if (isMainThread) new Worker(__filename, { env: {} }).once('exit', (code) => console.log('child ended', code))`,
}

describe('a program whose children inherit the preload', () => {
  it.each(Object.keys(programs))('leaves one row: %s', async (way) => {
    const { stdout, stderr, code } = await start(programs[way] ?? '').ended
    expect({ stdout, stderr, code }).toEqual({ stdout: 'child ended 0\n', stderr: '', code: 0 })
    expect(rows()).toHaveLength(1)
    expect(readdirSync(join(folder, 'tmp'))).toEqual([])
  })

  // The folder is found by the number of a process above the child, which needs `/proc`.
  it.runIf(process.platform === 'linux')(
    'leaves one row where a child has another environment, whatever others leave beside its folder',
    async () => {
      const links = ['codecarbon-1-0-evil', `codecarbon-${process.pid}-0-evil`]
      for (const link of links) symlinkSync('nowhere', join(folder, 'tmp', link))
      const { code, stderr } = await start(`const { spawn } = require('child_process')
        const { _CODECARBON_MAILBOX: mailbox, ...env } = process.env
        if (process.argv[2] === undefined)
          spawn(process.execPath, [__filename, 'child'], { env }).once('exit', (code) => { process.exitCode = code })`)
        .ended
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      expect(rows()).toHaveLength(1)
      expect(readdirSync(join(folder, 'tmp'))).toEqual(links.toSorted())
    },
  )

  it.runIf(process.platform !== 'win32')(
    'tells nothing where others may enter the folder that the environment names, and measures nothing beside it',
    async () => {
      const mailbox = join(folder, `codecarbon-${process.pid}-0-open`)
      mkdirSync(mailbox)
      chmodSync(mailbox, 0o755)
      const { code, stderr } = await startChild(
        node,
        ['--import', preload, programPath('jobs.js'), 'proportions'],
        { folder, input: '', env: environment({ _CODECARBON_MAILBOX: mailbox }) },
      ).ended
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      expect([readdirSync(mailbox), readdirSync(folder).includes('emissions.csv')]).toEqual([[], false])
    },
  )

  it('leaves one row where npm runs it', async () => {
    writeFileSync(
      join(folder, 'package.json'),
      JSON.stringify({ name: 'p', version: '1.0.0', scripts: { start: 'node -e "process.exitCode = 3"' } }),
    )
    const { code, stderr } = await startChild('npm', ['run', '--silent', 'start'], {
      folder,
      input: '',
      env: environment({ NODE_OPTIONS: `--import ${preload}`, npm_config_cache: join(folder, 'cache') }),
    }).ended
    expect({ code, stderr }).toEqual({ code: 3, stderr: '' })
    expect(rows()).toHaveLength(1)
  })

  it('has one endpoint for Prometheus', async () => {
    const { stderr, code } = await start(programs['cluster'] ?? '', {
      CODECARBON_PROMETHEUS_PORT: '0',
      CODECARBON_LOG_LEVEL: 'info',
    }).ended
    expect(code).toBe(0)
    expect(stderr.match(/metrics for Prometheus at/g)).toHaveLength(1)
  })
})

describe('a program that has the preload by its name', () => {
  const name = 'codecarbon/register'
  const child = `process.exitCode = process.cwd() === require('path').parse(__filename).root ? 3 : 4`

  /** Beside a program stands the package, as npm installs it. */
  const startByName = (args: readonly string[], nodeOptions: string, program: string): Child => {
    mkdirSync(join(folder, 'node_modules'))
    symlinkSync(packageRoot, join(folder, 'node_modules/codecarbon'), 'junction')
    writeFileSync(join(folder, 'child.cjs'), child)
    writeFileSync(
      join(folder, 'program.cjs'),
      `const { fork, spawn } = require('child_process')
      const [childFile, cwd] = [__dirname + '/child.cjs', require('path').parse(__filename).root]
      const tell = (child) => child.once('exit', (code) => console.log('child ended', code))
      ${program}`,
    )
    return startChild(node, [...args, join(folder, 'program.cjs')], {
      folder,
      input: '',
      env: environment({ NODE_OPTIONS: nodeOptions }),
    })
  }

  const childrenElsewhere: Readonly<Record<string, string>> = {
    spawned: `tell(spawn(process.execPath, [childFile], { cwd }))`,
    'forked after the working directory was changed': `process.chdir(cwd); tell(fork(childFile))`,
    'given only its arguments': `tell(fork(childFile, { cwd, env: { TMPDIR: process.env.TMPDIR } }))`,
  }
  const ways: readonly (readonly [string, readonly string[], string])[] = [
    ['NODE_OPTIONS', [], `--import ${name}`],
    ['NODE_OPTIONS with =', [], `--no-warnings --import=${name}`],
    ['NODE_OPTIONS with quotes', [], `--title="a \\"b\\" c" "--import" "${name}"`],
    ['arguments', ['--import', name], ''],
    ['an argument with =', [`--import=${name}`], ''],
  ]

  it.each(ways)('has children in another folder start, and leaves one row: %s', async (_, args, options) => {
    const { stdout, stderr, code } = await startByName(
      args,
      options,
      Object.values(childrenElsewhere).join('\n'),
    ).ended
    expect({ stdout, stderr, code }).toEqual({ stdout: 'child ended 3\n'.repeat(3), stderr: '', code: 0 })
    expect(rows()).toHaveLength(1)
  })

  it('changes nothing else in what children inherit', async () => {
    const others = '--title="a \\"--import codecarbon/register\\" b" --no-warnings'
    const { stdout } = await startByName(
      ['--no-deprecation', '--import', name, '--no-warnings'],
      `${others} --import "${name}"`,
      'console.log(JSON.stringify([process.env.NODE_OPTIONS, process.execArgv]))',
    ).ended
    expect(JSON.parse(stdout)).toEqual([
      `${others} --import ${preload}`,
      ['--no-deprecation', '--import', preload, '--no-warnings'],
    ])
  })

  it('has children of codecarbon run start, whatever their folder', async () => {
    writeFileSync(join(folder, 'child.cjs'), child)
    const { code, stderr } = await startCli(
      ['run', '--quiet', '--', 'sh', '-c', `cd / && exec ${node} ${join(folder, 'child.cjs')}`],
      { folder, cwd: packageRoot, input: '', env: environment({ NODE_OPTIONS: `--import ${name}` }) },
    ).ended
    expect({ code, stderr }).toEqual({ code: 3, stderr: '' })
  })
})

/** What the file for node_exporter says at the end: energy by job, of all jobs and what is no job's, and of the machine. */
function told(): { jobs: Map<string, number>; sumJoules: number; totalJoules: number } {
  const text = readFileSync(join(folder, 'end.prom'), 'utf8')
  const values = (name: string): { labels: string; value: number }[] =>
    [...text.matchAll(new RegExp(`^${name}\\{(.*)\\} (\\S+)$`, 'gm'))].map(([, labels = '', value]) => ({
      labels,
      value: Number(value),
    }))
  const sum = (name: string): number => values(name).reduce((total, { value }) => total + value, 0)
  const jobs = values('codecarbon_task_energy_joules_sum').map(
    ({ labels, value }) => [/task="([^"]*)"/.exec(labels)?.[1] ?? '', value] as const,
  )
  return {
    jobs: new Map(jobs),
    sumJoules: sum('codecarbon_task_energy_joules_sum') + sum('codecarbon_unattributed_energy_joules_total'),
    totalJoules: sum('codecarbon_component_energy_joules_total'),
  }
}

describe('a tracked program', () => {
  it('is told the jobs of its child by their CPU time, and all adds up to what the machine used', async () => {
    const child = JSON.stringify(programPath('jobs.js'))
    const { code, stderr } = await start(
      `require('child_process').fork(${child}, ['proportions']).once('exit', (code) => { process.exitCode = code })`,
      { CODECARBON_PROMETHEUS_TEXTFILE: join(folder, 'end.prom') },
    ).ended
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const { jobs, sumJoules, totalJoules } = told()
    expect((jobs.get('large') ?? NaN) / (jobs.get('small') ?? NaN)).toBeCloseTo(3, 0)
    expect(sumJoules).toBeCloseTo(totalJoules, 6)
  })
})

describe('a child that outlives the program', () => {
  it('goes on, and its own children are programs of their own', async () => {
    const { stdout } = await start(`const { spawn } = require('child_process')
      if (process.argv[2] === undefined) {
        const child = spawn(process.execPath, [__filename, 'child'], { stdio: ['ipc', 'inherit', 'inherit'] })
        child.once('message', () => process.exit())
      } else {
        process.once('disconnect', () => setTimeout(() => {
          require('child_process').spawnSync(process.execPath, ['-e', '0'])
          console.log('child ended')
        }, 500))
        process.send('ready')
      }`).ended
    expect(stdout).toBe('child ended\n')
    expect(rows()).toHaveLength(2)
  })
})

describe('a program that was killed', () => {
  it('leaves a folder that the next one removes', async () => {
    const { signal } = await start(`process.kill(process.pid, 'SIGKILL')`).ended
    expect(signal).toBe('SIGKILL')
    expect(readdirSync(join(folder, 'tmp'))).toHaveLength(1)
    await start(`setTimeout(() => undefined, 1500)`).ended
    expect(readdirSync(join(folder, 'tmp'))).toEqual([])
  })
})

describe('codecarbon run', () => {
  it('measures for a program of its command that has the preload: one row, and its tasks are told', async () => {
    const args = [node, '--import', preload, programPath('jobs.js'), 'proportions']
    const { code, stderr } = await startCli(['run', '--quiet', '--', ...args], {
      folder,
      input: '',
      env: environment({ CODECARBON_PROMETHEUS_TEXTFILE: join(folder, 'end.prom') }),
    }).ended
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(rows()).toHaveLength(1)
    const { jobs, sumJoules, totalJoules } = told()
    expect([...jobs.keys()]).toEqual(['small', 'large'])
    expect(sumJoules).toBeCloseTo(totalJoules, 6)
  })

  it('measures alone where it has inherited the preload itself', async () => {
    const { code, stderr } = await startCli(['run', '--quiet', '--', node, '-e', 'process.exit(4)'], {
      folder,
      input: '',
      env: environment({ NODE_OPTIONS: `--import ${preload}` }),
    }).ended
    expect({ code, stderr }).toEqual({ code: 4, stderr: '' })
    expect(rows()).toHaveLength(1)
  })
})
