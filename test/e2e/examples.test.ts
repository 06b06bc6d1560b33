import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fetchNode } from '../../scripts/newer-node.js'
import type { Ended } from '../fixtures/programs/child.ts'
import { runExample } from '../fixtures/programs/example.ts'
import { classifyingModel } from '../fixtures/programs/onnx-model.js'
import { postgresPrograms, startPostgres } from '../fixtures/programs/postgres.ts'
import { isInstalled } from '../fixtures/programs/prometheus.ts'
import { startRedis } from '../fixtures/programs/redis.ts'
import { temporaryFolder } from '../fixtures/programs/temporary-folder.ts'

const { E2E_JOBS: jobs, E2E_AI: ai, E2E_TRACKERS: trackers } = process.env
const hasRedis = isInstalled('redis-server')
const postgres = postgresPrograms()
for (const [what, isThere] of [
  ['of jobs. Set E2E_JOBS to a folder with pg-boss, agenda, @agendajs/redis-backend and @koa/router', jobs],
  ['of models. Set E2E_AI to a folder with ai, zod, onnxruntime-node and @huggingface/transformers', ai],
  ['of trackers. Set E2E_TRACKERS to a folder with opik and zod', trackers],
  ['on Redis. They need redis-server', hasRedis],
  ['on PostgreSQL. They need its programs', postgres],
] as const)
  if (isThere === undefined || isThere === false) console.log(`Skipped: examples ${what}.`)

/** @param line what is printed of energy */
function itTells({ code, stdout, stderr }: Ended, line: RegExp): void {
  expect(stderr.replaceAll(/.*ExperimentalWarning.*\n|\(Use `node --trace-warnings.*\n/g, '')).toBe('')
  expect(stdout).toMatch(line)
  expect(code).toBe(0)
}

const redisAddress = async (): Promise<string> => {
  const { host, port } = await startRedis(temporaryFolder())
  return `redis://${host}:${port}`
}

it('the example that npm start runs tells the energy of its epochs', async () => {
  itTells(
    await runExample('examples/train-digits.mjs', { env: { EPOCHS: '1' } }),
    /^ +epoch 1 +accuracy .* \d+\.\d J$/m,
  )
})

describe.skipIf(!hasRedis)('an example on a real Redis', () => {
  it('of BullMQ tells each kind of job and outcome', async () => {
    const ended = await runExample('examples/jobs/bullmq.mjs', { env: { REDIS_URL: await redisAddress() } })
    itTells(ended, /^report failed +2 attempts +\d+\.\d\d J +\d+\.\d{3} mg CO2eq$/m)
  })

  it.skipIf(jobs === undefined)('of Agenda tells each job', async () => {
    const env = { REDIS_URL: await redisAddress() }
    const ended = await runExample('examples/jobs/agenda.mjs', { packages: jobs, env })
    itTells(ended, /^hash +ok +\d+\.\d\d s +\d+\.\d\d J$/m)
    expect(ended.stdout).toMatch(/^failing +error /m)
  })
})

describe.skipIf(jobs === undefined)('an example of what is not among the packages of every clone', () => {
  it.skipIf(postgres === undefined)('tells each job of pg-boss, and each queue', async () => {
    const env = { DATABASE_URL: await startPostgres(postgres ?? '') }
    const ended = await runExample('examples/jobs/pg-boss.mjs', {
      packages: jobs,
      node: fetchNode('24'),
      env,
    })
    itTells(ended, /^report +completed +\d+\.\d\d s +\d+\.\d\d J$/m)
    expect(ended.stdout).toMatch(/^thumbnail +3 jobs +\d+\.\d\d J a job$/m)
  })

  it('tells each route of Koa', async () => {
    const ended = await runExample('examples/http/koa.mjs', { packages: jobs })
    itTells(ended, /^GET \/primes\/:limit +20 requests, 2xx +\d+\.\d{3} J$/m)
  })
})

describe.skipIf(ai === undefined)('an example that runs models', () => {
  it('tells inferences of ONNX Runtime', async () => {
    const ended = await runExample('examples/ai/onnxruntime.mjs', { packages: ai })
    itTells(ended, /^1024 × 1024 +10 times +\d+\.\d{3} J each$/m)
  })

  it('tells calls and tools of the AI SDK, and tokens', async () => {
    const ended = await runExample('examples/ai/ai-sdk.mjs', { packages: ai, node: fetchNode('22') })
    itTells(ended, /^ +primes +3 times +\d+\.\d{3} J each$/m)
    expect(ended.stdout).toMatch(
      /^small-1 of acme: 6 calls, 240 tokens in, 720 out; elsewhere perhaps 86 J$/m,
    )
  })

  it('tells calls of a pipeline of transformers.js', async () => {
    const models = temporaryFolder()
    const folder = join(models, 'words')
    mkdirSync(join(folder, 'onnx'), { recursive: true })
    const put = (name: string, content: object): void => {
      writeFileSync(join(folder, name), JSON.stringify(content))
    }
    put('config.json', { model_type: 'bert', id2label: { 0: 'first', 1: 'second' } })
    put('tokenizer_config.json', { tokenizer_class: 'PreTrainedTokenizer', unk_token: '?' })
    put('tokenizer.json', {
      version: '1.0',
      added_tokens: [],
      normalizer: null,
      pre_tokenizer: { type: 'Whitespace' },
      post_processor: null,
      decoder: null,
      model: { type: 'WordLevel', vocab: { '?': 0, What: 1, day: 9 }, unk_token: '?' },
    })
    writeFileSync(join(folder, 'onnx/model.onnx'), classifyingModel())
    const env = { MODELS: models, MODEL: 'words' }
    const ended = await runExample('examples/ai/transformers.mjs', { packages: ai, env })
    itTells(ended, /^classify: 4 calls +\d+\.\d{3} J each$/m)
  })

  it('says what is missing where there is no model', async () => {
    const env = { MODELS: temporaryFolder(), MODEL: 'words' }
    const { code, stdout, stderr } = await runExample('examples/ai/transformers.mjs', { packages: ai, env })
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^The model words could not be loaded: .*\nIt comes from huggingface.co .*\n$/)
  })
})

describe.skipIf(trackers === undefined)('an example of Opik', () => {
  it('tells spans, without an account', async () => {
    const ended = await runExample('examples/trackers/opik.mjs', { packages: trackers })
    itTells(ended, /^search +\d+\.\d\d J$/m)
  })
})
