import { existsSync, readdirSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readArchive } from '../../../src/integrations/comet/read-archive.ts'
import { cometRig } from '../../fixtures/comet/rig.ts'

async function archivedMetrics(folder: string): Promise<number[]> {
  const place = join(folder, 'offline')
  const [name = ''] = readdirSync(place)
  const { entries } = await readArchive(join(place, name))
  return entries.flatMap(({ message }) => (message.type === 'metric' ? [message.value] : []))
}

describe('what is logged faster than Comet wants it', () => {
  it('keeps to half of the limits, in its order, and loses nothing', async () => {
    const { comet, begin, until, pass } = cometRig()
    const experiment = begin()
    await until(experiment.opened)
    for (let step = 0; step < 3000; step += 1) experiment.logMetric(`m${step % 10}`, step)
    await pass(60, 0.25)
    expect(comet.experiment.throttled).toBe(false)
    expect(comet.experiment.metrics).toHaveLength(3000)
    const values = comet.experiment.metrics
      .filter(({ metricName }) => metricName === 'm3')
      .map(({ metricValue }) => metricValue)
    expect(values).toEqual(values.toSorted((a, b) => a - b))
    await until(experiment.end())
  })

  it('is one request for each name where only the latest counts', async () => {
    const { comet, begin, until } = cometRig()
    const experiment = begin()
    for (let turn = 0; turn < 500; turn += 1) experiment.logParameter('step', turn)
    for (let turn = 0; turn < 500; turn += 1)
      experiment.logAsset(Buffer.from(`${turn}`), { fileName: 'a', overwrite: true })
    for (let turn = 0; turn < 500; turn += 1) experiment.logOutput(`${turn}\n`)
    await until(experiment.end())
    expect(comet.experiment.parameters.get('step')).toBe('499')
    expect(comet.count('experiment/parameter')).toBe(1)
    expect(comet.experiment.assets.map(({ bytes }) => bytes.toString())).toEqual(['499'])
    expect(comet.experiment.lines).toHaveLength(500)
    expect(comet.count('experiment/output')).toBe(1)
  })

  it('goes to an archive, oldest first, where there is no more room; nothing is lost', async () => {
    const { comet, begin, until, said, pass, folder } = cometRig()
    comet.fail({ status: 503 }, { path: 'experiment/metric' })
    comet.fail({ status: 503 }, { path: 'upload-asset' })
    const experiment = begin()
    await until(experiment.opened)
    for (let step = 0; step < 15_000; step += 1) experiment.logMetric('m', step)
    experiment.logAsset(Buffer.from('x'), { fileName: 'emissions.csv', overwrite: true })
    expect(said).toEqual([expect.stringContaining('the oldest figures go to an archive') as string])
    await pass(10)
    comet.recover()
    await pass(200, 0.5)
    await until(experiment.end())
    expect(comet.experiment.assets).toHaveLength(1)
    const sent = comet.experiment.metrics.map(({ metricValue }) => metricValue)
    const kept = await archivedMetrics(folder)
    expect([...kept, ...sent].toSorted((one, other) => one - other)).toEqual([...Array(15_000).keys()])
    expect(kept.length).toBeGreaterThan(4000)
    expect(said.at(-1)).toContain(`${kept.length} things that were logged could not be sent and went to`)
  })

  it('costs little to add, however many names there are', async () => {
    const { begin, until, comet, folder } = cometRig()
    comet.fail('hang')
    const experiment = begin()
    const beginning = performance.now()
    for (let turn = 0; turn < 30_000; turn += 1) experiment.logMetric(`name ${turn}`, turn)
    expect(performance.now() - beginning).toBeLessThan(10_000)
    await until(experiment.end({ timeoutMs: 100 }))
    expect((await archivedMetrics(folder)).length).toBe(30_000)
  })

  it('goes to an archive before it fills the memory: pages, output and tags', async () => {
    const { begin, until, comet, said } = cometRig()
    comet.fail('hang')
    const experiment = begin()
    const page = 'x'.repeat(1024 * 1024)
    for (let turn = 0; turn < 70; turn += 1) experiment.logHtml(page)
    expect(said).toEqual([expect.stringContaining('more waits to be sent than there is room for') as string])
    await until(experiment.end({ timeoutMs: 100 }))
  })

  it('is sent in requests of 500 lines at the most', async () => {
    const { comet, begin, until, pass } = cometRig()
    const experiment = begin()
    await until(experiment.opened)
    experiment.logOutput('x\n'.repeat(20_000))
    experiment.addTags([...Array(1200).keys()].map(String))
    await pass(240, 0.5)
    await until(experiment.end())
    expect(comet.experiment.lines).toHaveLength(20_000)
    expect(comet.experiment.throttled).toBe(false)
    expect(comet.experiment.tags.size).toBe(1200)
    const sizes = comet.seen
      .filter(({ path }) => path.endsWith('experiment/output'))
      .map(({ body }) => (JSON.parse(body.toString()) as { outputLines: unknown[] }).outputLines.length)
    expect(Math.max(...sizes)).toBe(500)
  })

  it('never is more than half of the limits within any minute', async () => {
    const { comet, begin, until, pass } = cometRig()
    const experiment = begin()
    await until(experiment.opened)
    for (let step = 0; step < 9000; step += 1) experiment.logMetric(`m${step % 20}`, step)
    await pass(120, 0.25)
    const times = comet.seen.filter(({ path }) => path.endsWith('/metric')).map(({ atMs }) => atMs)
    const most = Math.max(
      ...times.map((from) => times.filter((at) => at >= from && at < from + 60_000).length),
    )
    // What flows in a minute, and what a full bucket holds.
    expect(most).toBeLessThanOrEqual(6600)
    expect(most).toBeGreaterThan(5500)
    await until(experiment.end())
  })

  it('is no file above 200 MiB', async () => {
    const { comet, begin, until, said, folder } = cometRig()
    const experiment = begin()
    const path = join(folder, 'huge.bin')
    writeFileSync(path, '')
    truncateSync(path, 201 * 1024 * 1024)
    experiment.logAsset(path)
    await until(experiment.end())
    expect(comet.experiment.assets).toEqual([])
    expect(said).toEqual([
      `Comet at comet.test is not given ${path}, which has 201 MiB: 200 MiB is the most: asset huge.bin is left out`,
    ])
  })

  it('may be one file larger than all the room for others', async () => {
    const { comet, begin, until, said } = cometRig()
    const experiment = begin()
    await until(experiment.opened)
    experiment.logAsset(Buffer.alloc(70 * 1024 * 1024), { fileName: 'large.bin' })
    experiment.logMetric('m', 1)
    await until(experiment.end())
    expect(comet.experiment.assets.map(({ bytes }) => bytes.length)).toEqual([70 * 1024 * 1024])
    expect(comet.experiment.metrics).toHaveLength(1)
    expect(said).toEqual([])
  })
})

describe('a server that fails', () => {
  it.each([
    ['resets connections', 'reset'],
    ['is overloaded', { status: 503 }],
    ['was asked too often', { status: 429, retryAfter: '2' }],
    ['fails', { status: 500 }],
  ] as const)(
    'and %s for a while makes nothing be lost, and is told of at most once',
    async (_title, fault) => {
      const { comet, begin, until, pass, said } = cometRig()
      const experiment = begin()
      await until(experiment.opened)
      comet.fail(fault, { path: '' })
      for (let step = 0; step < 20; step += 1) experiment.logMetric('m', step)
      experiment.logAsset(Buffer.from('x'), { fileName: 'emissions.csv', overwrite: true })
      await pass(10)
      comet.recover()
      await pass(30)
      await until(experiment.end())
      expect(comet.experiment.metrics.map(({ metricValue }) => metricValue)).toEqual([...Array(20).keys()])
      expect(comet.experiment.assets).toHaveLength(1)
      expect(said.length).toBeLessThanOrEqual(1)
    },
  )

  it.each(['commit and reset', 'commit and hang'] as const)(
    'and takes a figure without saying so has it once: %s',
    async (fault) => {
      const { comet, begin, until, pass } = cometRig()
      const experiment = begin()
      await until(experiment.opened)
      comet.fail(fault, { path: 'experiment/metric', times: 2 })
      comet.fail(fault, { path: 'upload-asset', times: 1 })
      for (const value of [1, 2, 3]) experiment.logMetric('m', value)
      experiment.logAsset(Buffer.from('x'), { fileName: 'once' })
      await pass(60, 0.25)
      await until(experiment.end())
      expect(comet.experiment.metrics.map(({ metricValue }) => metricValue)).toEqual([1, 2, 3])
      expect(comet.experiment.assets).toHaveLength(1)
    },
  )

  it('is asked less and less often', async () => {
    const { comet, begin, until, pass } = cometRig({ beatMs: 300_000 })
    const experiment = begin()
    await until(experiment.opened)
    comet.fail({ status: 503 })
    experiment.logMetric('m', 1)
    await pass(240, 0.5)
    const times = comet.seen.filter(({ path }) => path.includes('metric')).map(({ atMs }) => atMs)
    const gaps = times.slice(1).map((atMs, index) => atMs - (times[index] ?? 0))
    expect(gaps.length).toBeGreaterThan(4)
    expect(gaps).toEqual(gaps.toSorted((a, b) => a - b))
  })

  it('is left alone for as long as it asks for', async () => {
    const { comet, begin, until, pass } = cometRig()
    const experiment = begin()
    await until(experiment.opened)
    comet.fail({ status: 429, retryAfter: '30' }, { path: 'experiment/metric', times: 1 })
    experiment.logMetric('m', 1)
    await pass(29)
    expect(comet.experiment.metrics).toEqual([])
    await pass(2)
    expect(comet.experiment.metrics).toHaveLength(1)
    await until(experiment.end())
  })

  it('and says so in an answer with 200 is one that failed', async () => {
    const { comet, begin, until, said, folder } = cometRig()
    const experiment = begin()
    await until(experiment.opened)
    comet.fail({ status: 200, sdkErrorCode: 90210 }, { path: 'experiment/metric' })
    experiment.logMetric('m', 1)
    await until(experiment.end())
    expect(said[0]).toMatch(
      /^Comet at comet\.test does not let this API key write there: .*\(HTTP 200, code 90210\)/,
    )
    expect(readdirSync(join(folder, 'offline'))).toHaveLength(1)
  })

  it('and will not take one thing takes all others', async () => {
    const { comet, begin, until, said } = cometRig()
    const experiment = begin()
    await until(experiment.opened)
    comet.fail({ status: 400 }, { path: 'experiment/parameter', times: 1 })
    experiment.logParameter('a', 1)
    experiment.logParameter('b', 2)
    experiment.logMetric('m', 1)
    await until(experiment.end())
    expect([...comet.experiment.parameters]).toEqual([['b', '2']])
    expect(comet.experiment.metrics).toHaveLength(1)
    expect(said).toEqual(['Comet at comet.test did not take it (HTTP 400): parameter a is left out'])
  })

  it('and will not take many things says how many', async () => {
    const { comet, begin, until, said } = cometRig()
    const experiment = begin()
    await until(experiment.opened)
    comet.fail({ status: 413 }, { path: 'experiment/parameter' })
    for (const name of ['a', 'b', 'c']) experiment.logParameter(name, 1)
    await until(experiment.end())
    expect(said).toEqual([
      'Comet at comet.test did not take it (HTTP 413): parameter a is left out',
      'Comet: 3 things were refused and left out',
    ])
  })

  it.each([
    [503, 'at the end of the program'],
    [503, 'for some minutes'],
  ] as const)('and answers %s %s makes nothing be lost', async (status, when) => {
    const { comet, begin, until, pass, folder } = cometRig()
    const experiment = begin()
    await until(experiment.opened)
    experiment.logMetric('m', 1)
    await until(experiment.flush())
    comet.fail({ status })
    experiment.logMetric('m', 2)
    experiment.logParameter('p', 1)
    experiment.logAsset(Buffer.from('x'), { fileName: 'emissions.csv', overwrite: true })
    if (when === 'for some minutes') {
      await pass(180, 0.5)
      comet.recover()
      await pass(200, 0.5)
    }
    await until(experiment.end())
    const sent = comet.experiment.metrics.map(({ metricValue }) => metricValue)
    if (when === 'for some minutes') {
      expect(sent).toEqual([1, 2])
      expect(comet.experiment.parameters.get('p')).toBe('1')
      expect(comet.experiment.assets).toHaveLength(1)
    } else {
      expect(await archivedMetrics(folder)).toEqual([2])
    }
  })

  it('and fails at one thing alone has all others, and an archive has that one', async () => {
    const { comet, begin, until, pass, folder, said } = cometRig()
    const experiment = begin()
    await until(experiment.opened)
    comet.fail({ status: 500 }, { path: 'experiment/metric' })
    experiment.logMetric('m', 1)
    for (let turn = 0; turn < 600; turn += 1) {
      experiment.logParameter('turn', turn)
      await pass(1, 0.5)
    }
    expect(experiment.state).toBe('online')
    await until(experiment.end())
    expect(comet.experiment.parameters.get('turn')).toBe('599')
    expect(await archivedMetrics(folder)).toEqual([1])
    expect(said).toContainEqual(expect.stringContaining('metric m goes to an archive'))
  })

  it('and does not replace what is newer at the server by what it refused before', async () => {
    const { comet, begin, until, folder } = cometRig()
    const experiment = begin()
    await until(experiment.opened)
    await until(experiment.flush())
    comet.fail({ status: 200, sdkErrorCode: 90501 }, { path: 'experiment/parameter', times: 1 })
    experiment.logParameter('p', 'old')
    expect(await until(experiment.flush())).toBe(false)
    experiment.logParameter('p', 'new')
    expect(await until(experiment.flush())).toBe(true)
    await until(experiment.end())
    expect(comet.experiment.parameters.get('p')).toBe('new')
    expect(existsSync(join(folder, 'offline'))).toBe(false)
  })

  it('and has no more room keeps nothing from being sent later', async () => {
    const { comet, begin, until, folder, said } = cometRig()
    const experiment = begin()
    await until(experiment.opened)
    comet.fail({ status: 200, sdkErrorCode: 90501 }, { path: 'experiment/metric' })
    experiment.logMetric('m', 1)
    experiment.logMetric('m', 2)
    await until(experiment.end())
    expect(await archivedMetrics(folder)).toEqual([1, 2])
    expect(said[0]).toMatch(/has no more room in this workspace.*metric m goes to an archive/)
  })

  it.each([404, 405, 403])('and answers one kind of thing by %s gets all other kinds', async (status) => {
    const { comet, begin, until, said } = cometRig()
    const experiment = begin({ autoLogSystem: false })
    await until(experiment.opened)
    await until(experiment.flush())
    experiment.logMetric('m', 1)
    await until(experiment.flush())
    comet.fail({ status }, { path: 'system-details' })
    experiment.logSystemDetails({ os: 'Linux' })
    await until(experiment.flush())
    experiment.logMetric('m', 2)
    await until(experiment.end())
    expect(comet.experiment.metrics).toHaveLength(2)
    expect(said[0]).toContain('a list of system details goes to an archive')
  })

  it('and refuses the key in the middle is told of once', async () => {
    const { comet, begin, until, said, folder } = cometRig()
    const experiment = begin()
    await until(experiment.opened)
    await until(experiment.flush())
    comet.fail({ status: 401 })
    experiment.logMetric('m', 1)
    expect(await until(experiment.flush())).toBe(false)
    expect(experiment.state).toBe('offline')
    await until(experiment.end())
    expect(said).toHaveLength(2)
    expect(said.filter((line) => line.includes('does not know this API key'))).toHaveLength(1)
    expect(await archivedMetrics(folder)).toEqual([1])
  })

  it('and asks to be left alone for an hour is given up at once', async () => {
    const { comet, begin, until, pass, folder } = cometRig()
    const experiment = begin()
    await until(experiment.opened)
    comet.fail({ status: 429, retryAfter: '3600' }, { path: 'experiment/metric' })
    for (let step = 0; step < 15_000; step += 1) experiment.logMetric('m', step)
    await pass(2)
    expect(experiment.state).toBe('offline')
    await until(experiment.end())
    expect(new Set(await archivedMetrics(folder)).size).toBe(15_000)
  })

  it('is asked again after a random part of the pause', async () => {
    const gaps = []
    for (const part of [0.1, 0.9]) {
      const { comet, begin, until, pass } = cometRig({}, () => part)
      const experiment = begin()
      await until(experiment.opened)
      await until(experiment.flush())
      comet.fail({ status: 503 })
      experiment.logParameter('p', 1)
      await pass(30, 0.05)
      const [first = 0, second = 0] = comet.seen
        .filter(({ path }) => path.endsWith('/parameter'))
        .map(({ atMs }) => atMs)
      gaps.push(second - first)
      comet.recover()
      await until(experiment.end())
    }
    expect(gaps[0]).toBeLessThan(200)
    expect(gaps[1]).toBeGreaterThan(400)
  })

  it('and sends elsewhere has not taken anything', async () => {
    const { comet, begin, until, folder } = cometRig()
    const experiment = begin()
    await until(experiment.opened)
    await until(experiment.flush())
    comet.fail({ status: 302 })
    experiment.logMetric('m', 1)
    await until(experiment.end())
    expect(await archivedMetrics(folder)).toEqual([1])
  })

  it('and hangs delays the end no longer than the deadline, and an archive has the rest', async () => {
    const { comet, begin, until, clock, said, folder } = cometRig()
    const experiment = begin()
    await until(experiment.opened)
    comet.fail('hang')
    experiment.logMetric('m', 1)
    const beginning = clock.now().monotonic
    await until(experiment.end())
    expect(clock.now().monotonic - beginning).toBeLessThanOrEqual(5.2)
    const [file = ''] = readdirSync(join(folder, 'offline'))
    expect(said).toEqual([
      expect.stringMatching(
        new RegExp(`could not be sent and went to .*${file}.*codecarbon comet upload`),
      ) as string,
    ])
  })

  it('and lets answers trickle counts as one that hangs', async () => {
    const { comet, begin, until, clock } = cometRig()
    const experiment = begin({ timeouts: { endMs: 2000 } })
    await until(experiment.opened)
    comet.fail('slow')
    experiment.logMetric('m', 1)
    const beginning = clock.now().monotonic
    await until(experiment.end())
    expect(clock.now().monotonic - beginning).toBeLessThanOrEqual(2.2)
  })
})

describe('the beginning of an experiment', () => {
  it('whose answer was lost finds the experiment that was made', async () => {
    for (const fault of ['commit and reset', 'commit and hang'] as const) {
      const { comet, begin, until, said } = cometRig()
      comet.fail(fault, { path: 'experiment/create', times: 1 })
      const experiment = begin({ experimentName: 'mine' })
      await until(experiment.opened)
      expect(experiment).toMatchObject({ state: 'online', key: comet.experiment.key })
      experiment.logMetric('m', 1)
      await until(experiment.end())
      expect(comet.experiment).toMatchObject({ name: 'mine', metrics: [{ metricValue: 1 }] })
      expect(said).toEqual([])
    }
  })

  it.each([-86_400_000, 3_600_000])(
    'does so whatever the server takes the time to be: %s ms apart',
    async (skewMs) => {
      const { comet, begin, until, said } = cometRig({ skewMs })
      comet.fail('commit and hang', { path: 'experiment/create', times: 1 })
      const experiment = begin({ experimentName: 'mine' })
      await until(experiment.opened)
      experiment.logMetric('m', 1)
      await until(experiment.end())
      expect(comet.experiment).toMatchObject({ name: 'mine', metrics: [{ metricValue: 1 }] })
      expect(said).toEqual([])
    },
  )

  it('waits as long as the server asks for', async () => {
    const { comet, begin, until, clock } = cometRig()
    comet.fail({ status: 429, retryAfter: '5' }, { path: 'experiment/create', times: 1 })
    const before = clock.now().monotonic
    const experiment = begin()
    await until(experiment.opened)
    expect(clock.now().monotonic - before).toBeGreaterThanOrEqual(5)
    expect(experiment.state).toBe('online')
    await until(experiment.end())
  })

  it('asks again where nothing was made', async () => {
    const { comet, begin, until } = cometRig()
    comet.fail('reset', { path: 'experiment/create', times: 2 })
    const experiment = begin()
    await until(experiment.opened)
    expect(experiment.state).toBe('online')
    expect(comet.experiments).toHaveLength(1)
    await until(experiment.end())
  })

  it.each([
    [401, undefined, /does not know this API key: check COMET_API_KEY/],
    [400, 90219, /does not know this workspace: check COMET_WORKSPACE/],
    [402, undefined, /wants this workspace to pay first/],
    [404, undefined, /has no Comet at this address: check COMET_URL_OVERRIDE/],
    [503, undefined, /is not able to answer at the moment/],
  ] as const)(
    'that is answered by %s (code %s) says what to do and goes on without the server',
    async (status, sdkErrorCode, words) => {
      const { comet, begin, until, said, folder, clock } = cometRig()
      comet.fail({ status, ...(sdkErrorCode === undefined ? {} : { sdkErrorCode }) })
      const experiment = begin()
      const beginning = clock.now().monotonic
      await until(experiment.opened)
      expect(clock.now().monotonic - beginning).toBeLessThan(16)
      expect(experiment.state).toBe('offline')
      expect(said).toEqual([expect.stringMatching(words) as string])
      experiment.logMetric('m', 1)
      await until(experiment.end())
      expect(readdirSync(join(folder, 'offline'))).toEqual([
        expect.stringMatching(/^[\da-f]{32}\.zip$/) as string,
      ])
    },
  )

  it('without a workspace takes the default one of the key', async () => {
    const { comet, until, clock, folder, begin } = cometRig()
    expect(folder).not.toBe('')
    const experiment = begin({ workspace: undefined })
    await until(experiment.opened)
    expect(comet.experiment.workspaceName).toBe('ada')
    await until(experiment.end())
    expect(clock.waiting).toBe(0)
  })

  it('without a key logs nothing, makes no file, and says what to give', async () => {
    const { comet, begin, until, said, folder } = cometRig()
    const experiment = begin({ apiKey: undefined })
    expect(experiment.state).toBe('disabled')
    experiment.logMetric('m', 1)
    await until(experiment.end())
    expect(comet.seen).toEqual([])
    expect(existsSync(join(folder, 'offline'))).toBe(false)
    expect(said).toEqual([expect.stringContaining('give COMET_API_KEY') as string])
  })

  it('goes on with an experiment that is there', async () => {
    const { comet, begin, until, said } = cometRig()
    const first = begin()
    first.logMetric('m', 1)
    await until(first.end())
    const { key = '' } = first
    for (const mode of ['get', 'get_or_create'] as const) {
      const next = begin({ experimentKey: key, mode })
      next.logMetric('m', 2)
      await until(next.end())
      expect(next).toMatchObject({ key, url: `${comet.url}/ada/digits/${key}` })
    }
    expect(comet.experiment.metrics.map(({ metricValue }) => metricValue)).toEqual([1, 2, 2])
    expect(said).toEqual([])
  })

  it('says so where that experiment is archived, or is not there', async () => {
    const { comet, begin, until, said } = cometRig()
    const first = begin()
    await until(first.end())
    comet.experiment.archived = true
    const next = begin({ experimentKey: first.key ?? '' })
    await until(next.end())
    expect(said.splice(0)).toEqual([expect.stringContaining('this experiment is archived') as string])

    const unknown = 'f'.repeat(32)
    const none = begin({ experimentKey: unknown, mode: 'get' })
    await until(none.end())
    expect(said.splice(0)).toEqual([
      expect.stringContaining('does not know this experiment: check COMET_EXPERIMENT_KEY') as string,
    ])
    const made = begin({ experimentKey: unknown })
    await until(made.end())
    expect(said).toEqual([
      expect.stringContaining(`there is no experiment ${unknown}, and Comet chooses the keys`) as string,
    ])
    expect(comet.experiments).toHaveLength(2)
  })

  it('that nobody answers before the program ends leaves an archive in time', async () => {
    const { comet, begin, until, clock, folder, said } = cometRig()
    comet.fail('hang')
    const experiment = begin()
    experiment.logMetric('m', 1)
    const beginning = clock.now().monotonic
    await until(experiment.end({ timeoutMs: 1000 }))
    expect(clock.now().monotonic - beginning).toBeLessThanOrEqual(1.2)
    expect(readdirSync(join(folder, 'offline'))).toHaveLength(1)
    expect(said).toEqual([expect.stringContaining('gave no answer in time') as string])
  })
})

it('a server that stays away for minutes is given up, and an archive has what it did not get', async () => {
  const { comet, begin, until, pass, said, folder } = cometRig()
  const experiment = begin()
  experiment.logMetric('m', 1)
  await until(experiment.flush())
  comet.fail('reset')
  experiment.logMetric('m', 2)
  await pass(600, 1)
  expect(experiment.state).toBe('offline')
  experiment.logMetric('m', 3)
  await until(experiment.end())
  expect(said).toHaveLength(3)
  expect(comet.experiment.metrics).toHaveLength(1)
  expect(readdirSync(join(folder, 'offline'))).toHaveLength(1)
})
