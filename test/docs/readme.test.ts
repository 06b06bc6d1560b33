import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { optionSpecs } from '../../src/config/option-table.ts'
import { environmentFor } from '../fixtures/programs/child.ts'
import { temporaryFolder } from '../fixtures/programs/temporary-folder.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const readme = readFileSync(join(root, 'README.md'), 'utf8')

test('the program in README runs as it stands', () => {
  const [, program = ''] = /```js\n([^]*?)```/.exec(readme) ?? []
  const outputDir = temporaryFolder()
  const train = 'async function train(n) { for (let i = 0; i < 1e6; i += 1) n += i; return n }\n'
  const printed = execFileSync(process.execPath, ['--input-type=module', '-e', train + program], {
    cwd: root,
    env: { ...environmentFor(outputDir), CODECARBON_OUTPUT_DIR: outputDir, CODECARBON_LOG_LEVEL: 'error' },
    encoding: 'utf8',
  })
  expect(printed).toContain('CodeCarbon: train')
  expect(readFileSync(join(outputDir, 'emissions.csv'), 'utf8').trimEnd().split('\n')).toHaveLength(3)
})

test('the program in README that serves metrics runs as it stands', () => {
  const [, program] = [...readme.matchAll(/```js\n([^]*?)```/g)].map(([, text]) => text)
  const outputDir = temporaryFolder()
  const app = 'const app = { get: (path, handler) => console.log(path, typeof handler) }\n'
  const end = '\nconsole.log((await prometheus.metrics()).body); await tracker.stop()\n'
  const printed = execFileSync(
    process.execPath,
    ['--input-type=module', '-e', `${app}${program ?? ''}${end}`],
    {
      cwd: root,
      env: { ...environmentFor(outputDir), CODECARBON_OUTPUT_DIR: outputDir, CODECARBON_LOG_LEVEL: 'error' },
      encoding: 'utf8',
    },
  )
  expect(printed).toContain('/metrics function')
  expect(printed).toContain('codecarbon_build_info{')
})

test('the program in README that has an SDK runs as it stands', () => {
  const program = [...readme.matchAll(/```js\n([^]*?)```/g)][2]?.[1] ?? ''
  const outputDir = temporaryFolder()
  const begin =
    "import { metrics } from '@opentelemetry/api'\nimport { ConsoleMetricExporter, MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'\n" +
    'const exporter = new ConsoleMetricExporter()\nmetrics.setGlobalMeterProvider(new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter })] }))\n'
  const printed = execFileSync(
    process.execPath,
    ['--input-type=module', '-e', `${begin}${program}\nawait tracker.stop()`],
    {
      cwd: root,
      env: { ...environmentFor(outputDir), CODECARBON_OUTPUT_DIR: outputDir, CODECARBON_LOG_LEVEL: 'error' },
      encoding: 'utf8',
    },
  )
  expect(printed).toContain("name: 'codecarbon.run.info'")
})

test('the program in README that has an experiment of Comet runs as it stands', () => {
  const program = [...readme.matchAll(/```js\n([^]*?)```/g)][3]?.[1] ?? ''
  const outputDir = temporaryFolder()
  const train = 'async function train(n) { for (let i = 0; i < 1e6; i += 1) n += i; return n }\n'
  execFileSync(process.execPath, ['--input-type=module', '-e', train + program], {
    cwd: root,
    env: {
      ...environmentFor(outputDir),
      CODECARBON_OUTPUT_DIR: outputDir,
      CODECARBON_LOG_LEVEL: 'error',
      COMET_OFFLINE: 'true',
      COMET_OFFLINE_DIRECTORY: join(outputDir, 'offline'),
    },
    stdio: 'pipe',
  })
  expect(readdirSync(join(outputDir, 'offline'))).toEqual([expect.stringMatching(/\.zip$/)])
})

test('the program in README that trains runs as it stands', () => {
  const program = [...readme.matchAll(/```js\n([^]*?)```/g)].find(([, text]) => text?.includes('/tfjs'))?.[1]
  const outputDir = temporaryFolder()
  const begin =
    "import * as tf from '@tensorflow/tfjs'\nconst model = tf.sequential()\nmodel.add(tf.layers.dense({ inputShape: [1], units: 1 }))\n" +
    "model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })\nconst images = tf.ones([4, 1]), labels = tf.ones([4, 1])\n"
  execFileSync(process.execPath, ['--input-type=module', '-e', `${begin}${program ?? 'missing'}`], {
    cwd: root,
    env: { ...environmentFor(outputDir), CODECARBON_OUTPUT_DIR: outputDir, CODECARBON_LOG_LEVEL: 'error' },
    stdio: 'pipe',
  })
  // The callback has begun the tracker of the process, which is saved when that ends.
  expect(readFileSync(join(outputDir, 'emissions.csv'), 'utf8').trimEnd().split('\n')).toHaveLength(2)
})

test('the program in README that works on a queue runs as it stands, with a worker that has one job', () => {
  const program = [...readme.matchAll(/```js\n([^]*?)```/g)].find(([, text]) =>
    text?.includes('codecarbon/bullmq'),
  )
  const outputDir = temporaryFolder()
  const begin =
    "import { currentScope } from 'codecarbon'\n" +
    'const connection = {}\n' +
    'async function resize(job) { return `${currentScope()?.name} ${job.id}` }\n' +
    'class Worker { constructor(queueName, processor) { this.work = () => processor({ id: 7, name: "thumbnail", queueName, moveToCompleted() {} }) } }\n'
  const text = (program?.[1] ?? '').replace("import { Worker } from 'bullmq'\n", '')
  const printed = execFileSync(
    process.execPath,
    ['--input-type=module', '-e', `${begin}${text}console.log(await worker.work())`],
    {
      cwd: root,
      env: { ...environmentFor(outputDir), CODECARBON_OUTPUT_DIR: outputDir, CODECARBON_LOG_LEVEL: 'error' },
      encoding: 'utf8',
    },
  )
  expect(printed).toBe('thumbnail 7\n')
})

test('the program in README that has a server of Express runs as it stands', () => {
  const [program = ''] = [...readme.matchAll(/```js\n([^]*?)```/g)].flatMap(([, text = '']) =>
    text.includes('codecarbon/express') ? [text] : [],
  )
  const outputDir = temporaryFolder()
  const ask =
    "import { once } from 'node:events'\nawait once(server, 'listening')\n" +
    'const answer = await fetch(`http://127.0.0.1:${server.address().port}/users/42`)\n' +
    'console.log(await answer.text())\nserver.close()\n'
  const printed = execFileSync(process.execPath, ['--input-type=module', '-e', program + ask], {
    cwd: root,
    env: {
      ...environmentFor(outputDir),
      CODECARBON_OUTPUT_DIR: outputDir,
      CODECARBON_LOG_LEVEL: 'error',
      PORT: '0',
    },
    encoding: 'utf8',
  })
  expect(printed).toBe('42\n')
})

test('README links to files that are there', () => {
  const links = [...readme.matchAll(/\]\(([^)#]+)\)/g)].map(([, link = '']) => link)
  expect(links.filter((link) => !link.includes(':') && !existsSync(join(root, link)))).toEqual([])
})

test('README names only options that there are', () => {
  const names = new Set<string>(optionSpecs.map(([name]) => name))
  const objects = ['logger', 'outputHandlers', 'exporters', 'reporters', 'exclude']
  const used = [...readme.matchAll(/\{ ([^{}]*) \}/g)].flatMap(([, inside = '']) =>
    [...inside.matchAll(/(\w+):/g)].map(([, name = '']) => name),
  )
  expect(used.filter((name) => !names.has(name) && !objects.includes(name))).toEqual([])
})
