import { fileURLToPath } from 'node:url'
import { onTestFinished, describe, expect, it } from 'vitest'
import { withCarbon } from '../../../src/integrations/bullmq/bullmq.ts'
import { bullmqHook } from '../../../src/integrations/bullmq/hook.ts'
import { setProcessScopes } from '../../../src/scopes/process-scopes.ts'
import { recordingScopes, type RecordingScopes } from '../../fixtures/recording-scopes.ts'

/** Stands for the class of BullMQ, which would look for a server. */
class Worker {
  readonly args: readonly unknown[]

  constructor(...args: readonly unknown[]) {
    this.args = args
  }

  static RateLimitError = () => new Error('limit')
}

const about = { name: 'bullmq', version: '6.7.0' }
const job = { id: '1', name: 'resize', queueName: 'images', moveToCompleted: () => undefined }

function installed(): { Worker: typeof Worker; Queue: unknown; tracker: RecordingScopes } {
  const tracker = recordingScopes()
  setProcessScopes(tracker)
  onTestFinished(() => {
    setProcessScopes(undefined)
  })
  const exports = bullmqHook.install({ Worker, Queue: 'queue' }, about)
  return { ...(exports as { Worker: typeof Worker; Queue: unknown }), tracker }
}

describe('the hook of bullmq', () => {
  it('measures processors that are functions, and hands all else on', async () => {
    const { Worker: Measured, Queue, tracker } = installed()
    const options = { connection: {} }
    const worker = new Measured('images', async (_job: unknown, _token: unknown) => 'done', options)
    const [queue, processor, given] = worker.args as [string, (given: object) => Promise<string>, object]
    expect([queue, given, processor.length, Queue]).toEqual(['images', options, 2, 'queue'])
    expect(given).toBe(options)
    expect(await processor(job)).toBe('done')
    expect(tracker.scopes).toMatchObject([{ name: 'resize', outcomes: ['completed'] }])
  })

  it('leaves the class what it was: instances, statics, classes made of it', () => {
    const { Worker: Measured } = installed()
    class Mine extends Measured {}
    const mine = new Mine('images', () => 'done')
    expect(mine).toBeInstanceOf(Mine)
    expect(mine).toBeInstanceOf(Worker)
    expect(new Measured('images')).toBeInstanceOf(Measured)
    expect(Measured.RateLimitError).toBe(Worker.RateLimitError)
    expect(Measured.name).toBe('Worker')
  })

  it('does not measure twice what is measured', () => {
    const { Worker: Measured, tracker } = installed()
    const processor = withCarbon(async () => 'done', { tracker })
    expect(new Measured('images', processor).args[1]).toBe(processor)
  })

  it('puts a file of its own in the place of that of a sandboxed processor', () => {
    const { Worker: Measured } = installed()
    const here = import.meta.url
    const asGiven = [new URL(here), fileURLToPath(here), fileURLToPath(here).replace(/\.ts$/, '')]
    const [url, path, without] = asGiven.map((file) => new Measured('images', file).args[1])
    expect((url as URL).pathname).toMatch(/dist\/integrations\/bullmq\/sandbox-processor\.js$/)
    expect((url as URL).searchParams.get('processor')).toBe(here)
    expect(path).toEqual(url)
    // BullMQ would look for a file that ends on .js, and complain.
    expect(without).toBe(asGiven[2])
    expect(new Measured('images', undefined).args[1]).toBeUndefined()
  })

  it('says what it misses in a package that is no BullMQ', () => {
    expect(() => bullmqHook.install({}, about)).toThrow('expected a class Worker in bullmq')
  })
})
