import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { onnxruntimeHook } from '../../../src/integrations/onnxruntime/hook.ts'
import { carbonOnnx, withCarbon } from '../../../src/integrations/onnxruntime/onnxruntime.ts'
import { currentScope } from '../../../src/scopes/current-scope.ts'
import { recordedScopes } from '../../fixtures/recorded-scopes.ts'

/** A runtime of the shape of ONNX Runtime 1.30: a class with `create` and `run`. */
function fakeRuntime() {
  class InferenceSession {
    static create(_model: string | Uint8Array): Promise<InferenceSession> {
      return Promise.resolve(new InferenceSession())
    }
    async run(feeds: { x: number }): Promise<{ y: number; within: string | undefined }> {
      await Promise.resolve()
      if (feeds.x < 0) throw new RangeError('as it should')
      return { y: feeds.x + 1, within: currentScope()?.name }
    }
  }
  return { InferenceSession }
}

describe('a measured ONNX Runtime', () => {
  it('tells each inference, and passes its result on', async () => {
    const tracker = recordedScopes()
    const ort = fakeRuntime()
    carbonOnnx(ort, { tracker })
    const session = await ort.InferenceSession.create('model.onnx')
    const running = session.run({ x: 1 })
    tracker.machine.use(2)
    expect(await running).toEqual({ y: 2, within: 'inference' })
    expect(tracker.lines()).toEqual(['inference: ok'])
    expect(await tracker.records()).toMatchObject([{ kind: 'inference', isNested: false }])
    const [record] = await tracker.records()
    expect(record?.energyJoules).toBeGreaterThan(0)
    expect((record?.energyJoules ?? NaN) + tracker.rest()).toBeCloseTo(2, 6)
  })

  it('tells what failed, which passes through', async () => {
    const tracker = recordedScopes()
    const ort = fakeRuntime()
    carbonOnnx(ort, { tracker })
    const session = await ort.InferenceSession.create('model.onnx')
    await expect(session.run({ x: -1 })).rejects.toThrow(RangeError)
    expect(tracker.lines()).toEqual(['inference: error'])
  })

  it('names inferences after their model where it is told to', async () => {
    const tracker = recordedScopes()
    const ort = fakeRuntime()
    const seen: object[] = []
    carbonOnnx(ort, {
      tracker,
      name: (file, session) => {
        seen.push(session)
        return file ?? 'from memory'
      },
    })
    const digits = await ort.InferenceSession.create('/models/digits.ONNX')
    const other = await ort.InferenceSession.create(new Uint8Array())
    await digits.run({ x: 1 })
    await other.run({ x: 1 })
    expect(tracker.lines()).toEqual(['digits: ok', 'from memory: ok'])
    expect(seen).toEqual([digits, other])
  })

  it('goes on under the usual name where that fails', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    onTestFinished(() => warn.mockRestore())
    const tracker = recordedScopes()
    const ort = fakeRuntime()
    carbonOnnx(ort, {
      tracker,
      name: () => {
        throw new Error('no name')
      },
    })
    const session = await ort.InferenceSession.create('model.onnx')
    expect(await session.run({ x: 1 })).toMatchObject({ y: 2 })
    expect(tracker.lines()).toEqual(['inference: ok'])
    expect(warn.mock.calls).toEqual([['ONNX Runtime: no name', 'CodeCarbonWarning']])
  })

  it('is measured by the options that came last, once, and left as it was', async () => {
    const tracker = recordedScopes()
    const ort = fakeRuntime()
    const { run } = ort.InferenceSession.prototype
    const { create } = ort.InferenceSession
    onnxruntimeHook.install(ort, { name: 'onnxruntime-node', version: '1.30.0' })
    const undo = carbonOnnx(ort, { tracker, name: 'mine' })
    await (await ort.InferenceSession.create('a')).run({ x: 1 })
    expect(tracker.lines()).toEqual(['mine: ok'])
    undo()
    undo()
    expect(ort.InferenceSession.prototype.run).toBe(run)
    expect(ort.InferenceSession.create).toBe(create)
  })

  it('lets a change be that somebody made after it', async () => {
    const tracker = recordedScopes()
    const ort = fakeRuntime()
    const undo = carbonOnnx(ort, { tracker })
    const { run } = ort.InferenceSession.prototype
    const theirs: typeof run = function theirs(this: never, feeds) {
      return run.call(this, { x: feeds.x * 10 })
    }
    ort.InferenceSession.prototype.run = theirs
    undo()
    expect(ort.InferenceSession.prototype.run).toBe(theirs)
    expect(await new ort.InferenceSession().run({ x: 1 })).toEqual({ y: 11, within: undefined })
    expect(tracker.lines()).toEqual([])
  })

  it.each<[unknown, unknown, string]>([
    [{}, {}, 'expected what onnxruntime-node exports'],
    [undefined, {}, 'expected what onnxruntime-node exports'],
    [fakeRuntime(), { name: '' }, 'option name: expected a name'],
    [fakeRuntime(), { tracker: 1 }, 'option tracker: expected an EmissionsTracker'],
  ])('refuses %o with %o', (ort, options, message) => {
    expect(() => carbonOnnx(ort as never, options as never)).toThrow(message)
  })
})

/** A pipeline of the shape of transformers.js: a function that is an instance of a class. */
function fakePipeline() {
  class Pipeline {
    readonly task = 'text-classification'
    disposed = 0
    dispose(): void {
      this.disposed += 1
    }
  }
  const call = async (text: string): Promise<{ label: string; within: string | undefined }> => {
    await Promise.resolve()
    if (text === '') throw new TypeError('as it should')
    return { label: text.toUpperCase(), within: currentScope()?.name }
  }
  return Object.setPrototypeOf(
    Object.assign(call, new Pipeline()),
    Pipeline.prototype,
  ) as unknown as typeof call & Pipeline
}

describe('a measured pipeline', () => {
  it('tells each call under its name, and is the pipeline in every other way', async () => {
    const tracker = recordedScopes()
    const pipeline = fakePipeline()
    const classify = withCarbon(pipeline, 'classify', { tracker })
    expect(await classify('good')).toEqual({ label: 'GOOD', within: 'classify' })
    await expect(classify('')).rejects.toThrow(TypeError)
    expect(tracker.lines()).toEqual(['classify: ok', 'classify: error'])
    expect(await tracker.records()).toMatchObject([{ kind: 'inference' }, { kind: 'inference' }])
    expect(classify.task).toBe('text-classification')
    expect(classify).toBeInstanceOf(pipeline.constructor)
    classify.dispose()
    expect(pipeline.disposed).toBe(1)
  })

  it('holds the inferences of its sessions', async () => {
    const tracker = recordedScopes()
    const ort = fakeRuntime()
    carbonOnnx(ort, { tracker })
    const session = new ort.InferenceSession()
    await withCarbon((x: number) => session.run({ x }), 'embed', { tracker })(1)
    expect(tracker.lines()).toEqual(['embed: ok', 'inference < embed: ok'])
    expect((await tracker.records()).map(({ isNested }) => isNested)).toEqual([false, true])
  })

  it.each<[unknown, unknown, string]>([
    [Promise.resolve(), 'a', 'pipeline() of transformers.js has to be awaited'],
    [null, 'a', 'expected a pipeline, got null'],
    [() => 1, '', 'expected a name behind the pipeline'],
    [() => 1, undefined, 'expected a name behind the pipeline'],
  ])('needs a pipeline and a name (%#)', (pipeline, name, message) => {
    expect(() => withCarbon(pipeline as never, name as never)).toThrow(message)
  })
})
