import { expect, it } from 'vitest'
import { withCarbon } from '../../src/index.ts'
import { carbonAi, carbonTelemetry as carbonAiTelemetry } from '../../src/integrations/ai/ai.ts'
import { carbonTelemetry, withCarbon as withCarbonBullmq } from '../../src/integrations/bullmq/bullmq.ts'
import { carbon as carbonExpress } from '../../src/integrations/express/express.ts'
import { carbon as carbonFastify } from '../../src/integrations/fastify/fastify.ts'
import { carbon as carbonHono } from '../../src/integrations/hono/hono.ts'
import { trackHttpServers } from '../../src/integrations/http/http.ts'
import { carbon as carbonKoa } from '../../src/integrations/koa/koa.ts'
import { CarbonCallbackHandler } from '../../src/integrations/langchain/langchain.ts'
import {
  carbonOnnx,
  withCarbon as withCarbonPipeline,
} from '../../src/integrations/onnxruntime/onnxruntime.ts'
import { withCarbon as withCarbonPgBoss } from '../../src/integrations/pg-boss/pg-boss.ts'
import { carbonCallback, carbonTfjs } from '../../src/integrations/tfjs/tfjs.ts'

const work = () => undefined
const ort = { InferenceSession: Object.assign(() => undefined, { create: work, prototype: { run: work } }) }
const tf = { LayersModel: { prototype: { fit: work, fitDataset: work } } }

/** What takes options, each with one that is misspelt. */
const doors: readonly [door: string, call: (options: never) => unknown, given: string, message: string][] = [
  [
    'withCarbon',
    (o) => withCarbon('x', work, o),
    'kid',
    'withCarbon: there is no option kid; did you mean kind?',
  ],
  [
    'bullmq',
    (o) => withCarbonBullmq(work, o),
    'onRecords',
    'withCarbon: there is no option onRecords; did you mean onRecord?',
  ],
  [
    'bullmq, telemetry',
    (o) => carbonTelemetry(o),
    'exsting',
    'carbonTelemetry: there is no option exsting; did you mean existing?',
  ],
  [
    'pg-boss',
    (o) => withCarbonPgBoss(work, o),
    'log',
    'withCarbon: there is no option log; there are tracker, onRecord',
  ],
  [
    'langchain',
    (o) => new CarbonCallbackHandler(o),
    'remotefactor',
    'codecarbon/langchain: CarbonCallbackHandler: there is no option remotefactor; did you mean remoteFactor?',
  ],
  [
    'tfjs, callback',
    (o) => carbonCallback(o),
    'epoch',
    'codecarbon/tfjs: carbonCallback: there is no option epoch; did you mean epochs?',
  ],
  [
    'tfjs',
    (o) => carbonTfjs(tf, o),
    'epoch',
    'codecarbon/tfjs: carbonTfjs: there is no option epoch; did you mean epochs?',
  ],
  ['onnxruntime', (o) => carbonOnnx(ort, o), 'nam', 'carbonOnnx: there is no option nam; did you mean name?'],
  [
    'transformers.js',
    (o) => withCarbonPipeline(work, 'x', o),
    'traker',
    'withCarbon: there is no option traker; did you mean tracker?',
  ],
  [
    'ai',
    (o) => carbonAi(o),
    'countToken',
    'codecarbon/ai: carbonAi: there is no option countToken; did you mean countTokens?',
  ],
  [
    'ai, telemetry',
    (o) => carbonAiTelemetry(o),
    'countToken',
    'codecarbon/ai: carbonTelemetry: there is no option countToken; did you mean countTokens?',
  ],
  [
    'express',
    (o) => carbonExpress(o),
    'excludes',
    'codecarbon/express: carbon: there is no option excludes; did you mean exclude?',
  ],
  [
    'koa',
    (o) => carbonKoa(o),
    'route_',
    'codecarbon/koa: carbon: there is no option route_; did you mean route?',
  ],
  [
    'hono',
    (o) => carbonHono(o),
    'includes',
    'codecarbon/hono: carbon: there is no option includes; did you mean include?',
  ],
  [
    'http',
    (o) => trackHttpServers(o),
    'excludes',
    'codecarbon/http: trackHttpServers: there is no option excludes; did you mean exclude?',
  ],
]

it.each(doors)('%s refuses an option that there is not', (_door, call, given, message) => {
  expect(() => call({ [given]: undefined } as never)).toThrow(
    expect.objectContaining({ name: 'ConfigError', message }) as Error,
  )
})

it('fastify hands its own options to the plugin, which takes them', () => {
  const errors: unknown[] = []
  const options = { prefix: '/v1', logLevel: 'warn', logSerializers: {} }
  carbonFastify({ addHook: work }, options as object, (error) => void errors.push(error))
  expect(errors).toEqual([undefined])
})
