import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { startMlflow } from '../fixtures/mlflow/server.ts'
import { commandsOf, runExample } from '../fixtures/programs/example.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const list = readFileSync(join(root, 'examples/README.md'), 'utf8')
const examples = readdirSync(join(root, 'examples'), { recursive: true, encoding: 'utf8' })
  .map((name) => `examples/${name.replaceAll('\\', '/')}`)
  .filter((path) => path.endsWith('.mjs') && !path.startsWith('examples/vitest/'))
  .toSorted()

/** What they print about energy, where all that they need is among the packages of this repository. */
const told: readonly (readonly [path: string, line: RegExp, env?: Readonly<Record<string, string>>])[] = [
  ['examples/ai/langchain.mjs', /^ +search +10 times +\d+\.\d{3} J each$/m],
  ['examples/ai/tfjs.mjs', /^epoch 1 +\d+\.\d\d s +\d+\.\d\d J$/m, { EPOCHS: '1' }],
  ['examples/http/express.mjs', /^GET \/numbers\/primes\/:limit +20 requests, 2xx +\d+\.\d{3} J$/m],
  ['examples/http/fastify.mjs', /^GET \/primes\/:limit +20 requests, 2xx +\d+\.\d{3} J$/m],
  ['examples/http/hono.mjs', /^GET \/primes\/:limit +20 requests, 2xx +\d+\.\d{3} J$/m],
  ['examples/http/node-http.mjs', /^GET \/primes\/:word +20 requests, 2xx +\d+\.\d{3} J$/m],
  ['examples/jobs/bree.mjs', /^(?:Of it)? +\d.* J +\S+ .?g +hash twice, job: 1 ok$/m],
  ['examples/jobs/node-cron.mjs', /^report +ok +\d\.\d\d s +\d+\.\d\d J$/m],
  ['examples/jobs/piscina.mjs', /^(?:Of it)? +\d.* J +\S+ .?g +count primes, job: 3 ok$/m],
  ['examples/metrics/otel.mjs', /^codecarbon\.task\.energy +\d+\.\d\d J in 3 +hash,job,ok/m],
  ['examples/metrics/prometheus.mjs', /^codecarbon_task_energy_joules_sum\{task="report",.* \d+\.\d+$/m],
  ['examples/preload.mjs', /^hash: \d+\.\d\d J in \d+\.\d\d s$/m],
  [
    'examples/trackers/comet.mjs',
    /^epoch 1 .* \d+\.\d J$/m,
    { COMET_OFFLINE: 'true', UNITS: '8', EPOCHS: '1' },
  ],
  ['examples/trackers/wandb.mjs', /^carbon\/task_energy_consumed\/epoch \d+\.\d\d J$/m],
]

describe('an example that is copied into a project', () => {
  it.each(told.map(([path, line, env = {}]) => [path, line, env] as const))(
    'tells energy: %s',
    { timeout: 120_000 },
    async (path, line, env) => {
      const { code, stdout, stderr } = await runExample(path, { env })
      expect(code, stderr).toBe(0)
      // The report of a command goes to stderr, and so do messages of a tracker: they are all that may be there.
      expect(stdout + stderr).toMatch(line)
      expect(stderr).not.toMatch(/warning/i)
    },
  )

  it('logs to MLflow', async () => {
    const server = await startMlflow()
    const env = { MLFLOW_TRACKING_URI: server.url }
    const { code, stdout, stderr } = await runExample('examples/trackers/mlflow.mjs', { env })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^epoch 3 +y = .* \d+\.\d\d J\nhttp:\/\/127\.0\.0\.1/m)
    expect(server.run.status).toBe('FINISHED')
  })

  it.each([
    ['examples/jobs/bullmq.mjs', 'REDIS_URL'],
    ['examples/trackers/mlflow.mjs', 'MLFLOW_TRACKING_URI'],
  ])('says what it needs: %s', async (path, variable) => {
    const { code, stdout, stderr } = await runExample(path)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(new RegExp(`^Set ${variable} to the address of .*\\n$`))
  })
})

describe('the list of examples', () => {
  it('has each of them once, with the packages that its comment has', () => {
    const rows = [...list.matchAll(/^\| \[(\S+)\]\((\S+)\) +\| .* \| (.*?) +\|$/gm)].map(
      ([, name = '', link = '', needs = '']) => ({ name, link, needs }),
    )
    expect(rows.map(({ link }) => `examples/${link}`).toSorted()).toEqual(
      [...examples, 'examples/vitest'].toSorted(),
    )
    for (const { name, link, needs } of rows) {
      expect(name).toBe(link)
      if (link === 'vitest') continue
      const { packages } = commandsOf(`examples/${link}`)
      expect([link, ...packages.filter((one) => !needs.includes(`\`${one}\``))]).toEqual([link])
    }
  })
})

describe('the README', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  const { exports: entries } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    exports: Record<string, unknown>
  }
  const paths = Object.keys(entries).filter((entry) => entry !== './package.json')
  const texts = [...examples, 'examples/vitest/vitest.config.mjs'].map((path) => ({
    link: path.startsWith('examples/vitest/') ? 'examples/vitest' : path,
    text: readFileSync(join(root, path), 'utf8'),
  }))
  /** Options of those above, which their pages have. */
  const parts = new Set(['./bullmq/sandbox', './vitest/cpu-time'])

  it.each(paths.filter((path) => path !== '.' && !parts.has(path)))(
    'names %s, and links to an example of it',
    (path) => {
      const name = path.replace('.', 'codecarbon')
      const shown = texts.filter(({ text }) => text.includes(`${name}'`) || text.includes(`${name} `))
      const links = shown.map(({ link }) => link).filter((link) => readme.includes(`](${link})`))
      expect({ isNamed: readme.includes(`\`${name}\``), hasExample: links.length > 0 }).toEqual({
        isNamed: true,
        hasExample: true,
      })
    },
  )

  it('and pages link to examples that are there', () => {
    for (const page of ['README.md', ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`)]) {
      if (!page.endsWith('.md')) continue
      const text = readFileSync(join(root, page), 'utf8')
      const links = [...text.matchAll(/\]\((?:\.\.\/)?(examples\/[^)#]*)\)/g)].map(([, link = '']) => link)
      expect([page, ...links.filter((link) => !existsSync(join(root, link)))]).toEqual([page])
    }
  })
})
