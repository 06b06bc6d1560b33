import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { apiKey } from '../../fixtures/comet/simulator.ts'
import { cometRig } from '../../fixtures/comet/rig.ts'

const json = (bytes: Buffer): unknown => JSON.parse(bytes.toString())

describe('an experiment', () => {
  it('is made, logged and ended as Comet has it', async () => {
    const { comet, begin, until, arrived, folder, said, clock } = cometRig()
    const experiment = begin({ experimentName: 'Zürich "東京"', tags: ['green', 'node'] })
    await until(experiment.opened)
    expect(experiment).toMatchObject({
      state: 'online',
      key: comet.experiment.key,
      url: `${comet.url}/ada/digits/${comet.experiment.key}`,
    })
    experiment.logMetric('loss', 0.5, { step: 1, epoch: 1, context: 'train' })
    experiment.logMetrics({ loss: 0.25, accuracy: 0 }, { step: 2 })
    experiment.logParameter('layers', [32, 10])
    experiment.logParameters({ rate: 0.01, isDeep: false, nothing: undefined })
    experiment.logOther('note', 'first')
    experiment.logOther('note', 'second')
    experiment.addTags(['late'])
    experiment.logHtml('<p>one</p>')
    experiment.logHtml('<p>two</p>')
    experiment.logOutput('Epoch 1\nEpoch 2\n')
    experiment.logOutput('oh no', { isError: true })
    experiment.logSystemDetails({ os: 'Linux', pid: 7, more: { cluster: 'a' } })
    writeFileSync(join(folder, 'weights.bin'), Buffer.from([0, 255, 13, 10, 45, 45]))
    experiment.logAsset(join(folder, 'weights.bin'), { metadata: { layers: 2 }, step: 3 })
    await arrived('weights.bin')
    experiment.logAsset(Buffer.from('a,b\n1,2\n'), { fileName: 'table "x".csv', overwrite: true })
    await until(experiment.end())

    const { metrics, parameters, others, tags, html, lines, system, assets, name } = comet.experiment
    expect(
      metrics.map(({ metricName, metricValue, step, epoch, context }) => [
        metricName,
        metricValue,
        step,
        epoch,
        context,
      ]),
    ).toEqual([
      ['loss', 0.5, 1, 1, 'train'],
      ['accuracy', 0, 2, undefined, undefined],
      ['loss', 0.25, 2, undefined, undefined],
    ])
    expect(Object.fromEntries(parameters)).toEqual({
      layers: '[32,10]',
      rate: '0.01',
      isDeep: 'false',
      nothing: 'undefined',
    })
    expect(Object.fromEntries(others)).toEqual({ note: 'second', Name: 'Zürich "東京"' })
    expect(name).toBe('Zürich "東京"')
    expect([...tags]).toEqual(['green', 'node', 'late'])
    expect(html).toBe('<p>one</p><p>two</p>')
    expect(lines.map(({ output, stderr }) => [output, stderr])).toEqual([
      ['Epoch 1\n', false],
      ['Epoch 2\n', false],
      ['oh no', true],
    ])
    expect(system).toMatchObject({
      os: 'Linux',
      pid: 7,
      logAdditionalSystemInfoList: [{ key: 'cluster', value: 'a' }],
    })
    expect(new Map(assets.map(({ fileName, bytes }) => [fileName, bytes.toString('hex')]))).toEqual(
      new Map([
        ['weights.bin', '00ff0d0a2d2d'],
        ['table "x".csv', Buffer.from('a,b\n1,2\n').toString('hex')],
      ]),
    )
    expect(assets.find(({ fileName }) => fileName === 'weights.bin')).toMatchObject({
      metadata: '{"layers":2}',
      step: 3,
      type: 'asset',
    })
    expect(comet.experiment.endTimeMillis).toBeLessThanOrEqual(clock.now().wallMs)
    expect(experiment.state).toBe('ended')
    expect(said).toEqual([])
    expect(existsSync(join(folder, 'offline'))).toBe(false)
  })

  it('shows as running while it beats, as often as the server asks for but no more than each 5 s, and not for long after its end', async () => {
    const { comet, begin, until, pass } = cometRig({ beatMs: 3000 })
    const experiment = begin()
    await until(experiment.opened)
    const isRunning = async (): Promise<unknown> =>
      (
        json(await comet.read('experiment/metadata', { experimentKey: experiment.key ?? '' })) as {
          running: boolean
        }
      ).running
    await pass(60, 1)
    expect(comet.experiment.beats).toBeGreaterThanOrEqual(11)
    expect(comet.experiment.beats).toBeLessThanOrEqual(13)
    expect(await isRunning()).toBe(true)
    await until(experiment.end())
    await pass(20, 1)
    expect(await isRunning()).toBe(false)
    expect(comet.experiment).toMatchObject({ hasCrashed: false })
  })

  it('that fails says so, and why, and no longer that it is alive', async () => {
    const { comet, begin, until, pass } = cometRig()
    const experiment = begin()
    await until(experiment.opened)
    experiment.fail(new TypeError('x is not a function'))
    experiment.fail('exit code 1')
    await pass(60, 1)
    expect(comet.experiment.beats).toBe(1)
    await until(experiment.end())
    expect(comet.experiment).toMatchObject({
      hasCrashed: true,
      error: 'TypeError: x is not a function',
      isOver: true,
    })
  })

  it('beats no sooner than a server that is asked too often asks for', async () => {
    const { comet, begin, until, pass } = cometRig()
    const experiment = begin()
    await until(experiment.opened)
    comet.fail({ status: 429, retryAfter: '60' })
    await pass(50, 1)
    const isBeat = ({ path }: { readonly path: string }): boolean => path.endsWith('set-status')
    expect(comet.seen.filter(isBeat)).toHaveLength(2)
    experiment.endSync()
  })

  it('lets whoever logs to it tell its end, however it ends', async () => {
    const { comet, begin, until } = cometRig()
    const told: string[] = []
    const experiment = begin()
    await until(experiment.opened)
    experiment.beforeEnd(() => {
      told.push(experiment.state)
      experiment.logMetric('last', 1)
    })
    experiment.beforeEnd(() => {
      throw new Error('this reaches nobody')
    })
    experiment.beforeEnd(() => void told.push('never'))()
    await until(experiment.end())
    expect(comet.experiment.metrics.map(({ metricName }) => metricName)).toEqual(['last'])
    const other = begin()
    await until(other.opened)
    other.beforeEnd(() => void told.push(`other ${other.state}`))
    other.endSync()
    expect(told).toEqual(['online', 'other online'])
  })

  it('leaves out what is no figure, and cuts names and values that Comet would not take', async () => {
    const { comet, begin, until, said } = cometRig()
    const experiment = begin()
    experiment.logMetrics({ nan: NaN, infinite: -Infinity, text: 'x' as never, ['n'.repeat(150)]: 1 })
    experiment.logOther('o'.repeat(150), 'v'.repeat(2000))
    const endless: { self?: object } = {}
    endless.self = endless
    experiment.logParameter('self', endless)
    experiment.logMetric('stepless', 1, { step: NaN, epoch: 1.4 })
    await until(experiment.end())
    expect(comet.experiment.metrics.map(({ metricName }) => metricName)).toEqual([
      expect.stringMatching(/^n{91}~[\da-f]{8}$/) as string,
      'stepless',
    ])
    expect(comet.experiment.metrics[1]).toMatchObject({ step: undefined, epoch: 1 })
    expect([...comet.experiment.others.values()]).toEqual(['v'.repeat(1000)])
    expect(comet.experiment.parameters.get('self')).toBe('<ref *1> { self: [Circular *1] }')
    expect(said).toEqual([
      'Comet: metric nan is no finite number and left out; so are others that are none',
      expect.stringContaining("is longer than Comet's names may be: it is called nnn"),
    ])
  })

  it('throws nothing at the program, whatever it is given', async () => {
    const { begin, until, said } = cometRig({ isStrict: false })
    const experiment = begin()
    const bad = {
      toString(): string {
        throw new Error('no text')
      },
    }
    experiment.logOther('bad', bad)
    experiment.logMetric(bad as never, 1)
    experiment.logMetric(undefined as never, 1)
    experiment.logMetric('null', 1, null as never)
    experiment.logMetrics(null as never)
    experiment.logParameters('abc' as never)
    experiment.logHtml(Symbol('x') as never)
    experiment.logHtml('x', null as never)
    experiment.logOutput('x', null as never)
    experiment.addTags(undefined as never)
    experiment.logAsset(undefined as never)
    experiment.logAsset(5 as never)
    experiment.setName(undefined as never)
    experiment.setName('')
    experiment.logAsset('/nowhere/at/all')
    expect(await until(experiment.flush(null as never))).toBe(true)
    await until(experiment.end(null as never))
    experiment.logMetric('after the end', 1)
    experiment.logMetric('after the end', 2)
    await until(experiment.end())
    expect(said.map((line) => line.replace(/: .*?;/, ': …;'))).toHaveLength(9)
    for (const words of [
      'Comet: logMetric: expected a name, got object; it is left out',
      'Comet: logParameters: expected an object, got string; it is left out',
      'Comet: logAsset: expected the path of a file or bytes, got undefined; it is left out',
      'Comet: setName: expected a name, got undefined; it is left out',
      'Comet at comet.test is not given /nowhere/at/all (ENOENT): asset all is left out',
      'Comet: the experiment has ended: metric after the end and what comes after it is left out',
    ])
      expect(said).toContain(words)
  })

  it('takes what has no good time as of now, and tells long names from each other', async () => {
    const { comet, begin, until, clock } = cometRig()
    const experiment = begin()
    experiment.logMetric('m', 1, { timestampMs: NaN })
    experiment.logAsset(Buffer.from('1'), { fileName: `${'a'.repeat(120)}1.csv` })
    experiment.logAsset(Buffer.from('2'), { fileName: `${'a'.repeat(120)}2.csv` })
    const endless: Record<string, unknown> = {}
    endless['self'] = endless
    experiment.logAsset(Buffer.from('3'), { fileName: 'endless', metadata: endless })
    experiment.logParameters({ map: new Map([['a', 1]]), error: new TypeError('no'), date: new Date(0) })
    await until(experiment.end())
    expect(comet.experiment.metrics[0]?.timestamp).toBeLessThanOrEqual(clock.now().wallMs)
    const names = comet.experiment.assets.map(({ fileName }) => fileName)
    expect(new Set(names).size).toBe(3)
    expect(names.filter((name) => name.endsWith('.csv'))).toHaveLength(2)
    expect([...comet.experiment.parameters]).toEqual([
      ['map', "Map(1) { 'a' => 1 }"],
      ['error', 'TypeError: no'],
      ['date', '1970-01-01T00:00:00.000Z'],
    ])
  })

  it('cuts no letter in half', async () => {
    const { comet, begin, until } = cometRig()
    const experiment = begin()
    experiment.fail(new Error(`${'x'.repeat(992)}😀`))
    experiment.logOther('note', `${'x'.repeat(999)}😀`)
    await until(experiment.end())
    expect(comet.experiment.error).toBe(`Error: ${'x'.repeat(992)}`)
    expect(comet.experiment.others.get('note')).toBe('x'.repeat(999))
  })

  it('that is gone on with does not take the place of lines that are there', async () => {
    const { comet, begin, until, pass } = cometRig()
    const first = begin()
    first.logOutput('one\n')
    await until(first.end())
    for (const line of ['two\n', 'three\n']) {
      await pass(2)
      const next = begin({ experimentKey: first.key ?? '' })
      next.logOutput(line)
      await until(next.end())
    }
    expect(comet.experiment.lines.map(({ output }) => output)).toEqual(['one\n', 'two\n', 'three\n'])
    for (const { offset } of comet.experiment.lines) expect(offset).toBeLessThan(2 ** 31)
  })

  it('shows where it is', async () => {
    const { begin, until } = cometRig()
    const experiment = begin()
    await until(experiment.opened)
    const { key, url } = experiment
    expect(JSON.parse(JSON.stringify(experiment))).toEqual({ key, url, state: 'online' })
    expect(inspect(experiment)).toContain(`${url}`)
    await until(experiment.end())
  })

  it('never shows the key', async () => {
    const { begin, until, comet, said } = cometRig()
    comet.fail({ status: 401 })
    const experiment = begin()
    await until(experiment.end())
    const shown = [
      inspect(experiment, { depth: 10, showHidden: true }),
      JSON.stringify(experiment),
      ...said,
      inspect(new Error('x', { cause: experiment })),
    ]
    expect(said).toHaveLength(2)
    for (const text of shown) expect(text).not.toContain(apiKey)
  })
})
