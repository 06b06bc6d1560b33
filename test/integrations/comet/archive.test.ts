import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { zipSync } from 'fflate'
import type { Fetch } from '../../../src/http/http-request.ts'
import { loadSettings } from '../../../src/integrations/comet/load-settings.ts'
import { readArchive } from '../../../src/integrations/comet/read-archive.ts'
import { uploadArchive, type Uploaded } from '../../../src/integrations/comet/upload-archive.ts'
import { hasNamespaces, hasPython } from '../../fixtures/bad-network.ts'
import { cometRig, type CometRig } from '../../fixtures/comet/rig.ts'
import { apiKey, startComet, workspace, type CometSimulator } from '../../fixtures/comet/simulator.ts'
import { runCli, startChild } from '../../fixtures/programs/child.ts'
import { temporaryFolder } from '../../fixtures/programs/temporary-folder.ts'

/** Logs something of every kind. */
async function logAll({ begin, until, arrived, folder }: CometRig, isOffline: boolean): Promise<void> {
  const experiment = begin({
    offline: isOffline,
    experimentName: 'away',
    tags: ['train'],
    autoLogSystem: false,
  })
  await until(experiment.opened)
  experiment.logMetric('loss', 0.5, { step: 1, epoch: 1, context: 'train' })
  experiment.logMetric('loss', 0.25, { step: 2 })
  experiment.logParameter('rate', 0.01)
  experiment.logOther('note', 'Zürich "東京"')
  experiment.addTags(['late'])
  experiment.logHtml('<p>one</p>')
  experiment.logHtml('<p>two</p>')
  experiment.logOutput('a\nb\n')
  experiment.logOutput('c', { isError: true })
  experiment.logSystemDetails({ os: 'Linux', osRelease: '6.1', pid: 7, more: { cluster: 'x' } })
  writeFileSync(join(folder, 'weights.bin'), Buffer.from([0, 255, 13, 10]))
  experiment.logAsset(join(folder, 'weights.bin'), { step: 3, metadata: { layers: 2 } })
  if (!isOffline) await arrived('weights.bin')
  experiment.logAsset(Buffer.from('old'), { fileName: 'emissions.csv', overwrite: true })
  experiment.logAsset(Buffer.from('new'), { fileName: 'emissions.csv', overwrite: true })
  experiment.fail(new Error('out of memory'))
  await until(experiment.end())
}

/** All that a reader can tell of an experiment. */
function stateOf({ experiment }: CometSimulator): object {
  const {
    metrics,
    parameters,
    others,
    tags,
    html,
    lines,
    system,
    assets,
    hasCrashed,
    error,
    name,
    endTimeMillis,
  } = experiment
  return {
    metrics,
    parameters: [...parameters],
    others: [...others].toSorted(([one], [other]) => one.localeCompare(other)),
    tags: [...tags].toSorted(),
    html,
    lines,
    system,
    assets: assets
      .map(({ fileName, type, step, bytes, metadata }) => ({
        fileName,
        type,
        step,
        bytes: bytes.toString('hex'),
        metadata,
      }))
      .toSorted((one, other) => one.fileName.localeCompare(other.fileName)),
    hasCrashed,
    error,
    name,
    isEnded: endTimeMillis !== undefined,
  }
}

const archiveIn = (folder: string): string => {
  const [name = ''] = readdirSync(join(folder, 'offline'))
  return join(folder, 'offline', name)
}

async function upload(
  path: string,
  { comet, clock, until, said, folder }: CometRig,
  fetch = comet.fetch,
): Promise<Uploaded> {
  const places = { environment: {}, home: undefined, workingDirectory: undefined }
  const { settings } = loadSettings({ apiKey, workspace, url: comet.url }, { places })
  const archive = await readArchive(path)
  const warn = (message: string): void => void said.push(message)
  const notesFolder = join(folder, 'notes')
  return until(uploadArchive({ path, archive, settings, fetch, clock, random: () => 0.5, warn, notesFolder }))
}

describe('an experiment that was written offline', () => {
  it('is the same at the server as one that was sent, once it is uploaded', async () => {
    const online = cometRig()
    await logAll(online, false)
    const offline = cometRig()
    await logAll(offline, true)
    expect(offline.comet.seen).toEqual([])
    const uploaded = await upload(archiveIn(offline.folder), offline)
    expect(uploaded).toMatchObject({ wasComplete: false, key: offline.comet.experiment.key })
    expect(stateOf(offline.comet)).toEqual(stateOf(online.comet))
    expect(offline.said).toEqual([])
  })

  it('is uploaded once, however often that is asked for', async () => {
    const rig = cometRig()
    await logAll(rig, true)
    await upload(archiveIn(rig.folder), rig)
    const before = stateOf(rig.comet)
    const requests = rig.comet.seen.length
    expect(await upload(archiveIn(rig.folder), rig)).toMatchObject({ wasComplete: true, sent: 0 })
    expect(rig.comet.seen).toHaveLength(requests)
    expect(stateOf(rig.comet)).toEqual(before)
  })

  it.each(['reset', 'commit and reset', 'commit and hang', { status: 503 }] as const)(
    'has nothing twice though the upload is broken off by %j at any of its requests',
    async (fault) => {
      const whole = cometRig()
      await logAll(whole, true)
      await upload(archiveIn(whole.folder), whole)
      const expected = stateOf(whole.comet)
      for (let at = 0; at < whole.comet.seen.length; at += 1) {
        const rig = cometRig()
        await logAll(rig, true)
        const path = archiveIn(rig.folder)
        let passed = 0
        const { fetch } = rig.comet
        // From one request on nothing comes through any more; that one may have been carried out.
        const breaking: Fetch = (url, init) => {
          if (passed >= at) rig.comet.fail(passed === at ? fault : 'reset', { times: 1 })
          passed += 1
          return fetch(url, init)
        }
        await expect(upload(path, rig, breaking)).rejects.toThrow('run it again to go on')
        rig.comet.recover()
        await upload(path, rig)
        expect(stateOf(rig.comet), `request ${at}`).toEqual(expected)
      }
    },
  )

  it('goes on with the experiment of which it is the rest', async () => {
    const rig = cometRig()
    const { comet, begin, until, folder, said } = rig
    const experiment = begin()
    experiment.logMetric('loss', 1, { step: 1 })
    await until(experiment.flush())
    comet.fail('commit and hang', { path: 'experiment/metric' })
    comet.fail('hang')
    experiment.logMetric('loss', 2, { step: 2 })
    experiment.logMetric('loss', 3, { step: 3 })
    experiment.logOther('note', 'late')
    await until(experiment.end())
    expect(said[0]).toContain('could not be sent and went to')
    comet.recover()
    await upload(archiveIn(folder), rig)
    expect(comet.experiment.metrics.map(({ metricValue }) => metricValue)).toEqual([1, 2, 3])
    expect(comet.experiment.others.get('note')).toBe('late')
    expect(comet.experiment.endTimeMillis).toBeDefined()
  })

  it('becomes the experiment that the server made without an answer', async () => {
    const rig = cometRig()
    const { comet, begin, until, folder } = rig
    comet.fail('commit and hang', { path: 'experiment/create' })
    const experiment = begin({ experimentName: 'mine' })
    experiment.logMetric('loss', 1)
    await until(experiment.end())
    expect(comet.experiment.metrics).toEqual([])
    comet.recover()
    await upload(archiveIn(folder), rig)
    expect(comet.experiment).toMatchObject({ name: 'mine', metrics: [{ metricValue: 1 }] })
  })

  it('can be uploaded from the folder that a killed process leaves, with a line that was cut off', async () => {
    const rig = cometRig()
    const experiment = rig.begin({ offline: true })
    experiment.logMetric('loss', 1)
    await rig.pass(2)
    const path = archiveIn(rig.folder)
    await expect(readArchive(path)).rejects.toThrow(
      `is still being written by process ${process.pid}: upload it when that has ended`,
    )
    const copy = join(rig.folder, 'copy')
    cpSync(path, copy, { recursive: true })
    const dead = spawnSync(process.execPath, ['-e', '']).pid
    const lock = join(copy, 'writer.lock')
    writeFileSync(lock, readFileSync(lock, 'utf8').replace(`"pid":${process.pid}`, `"pid":${dead}`))
    const messages = join(copy, 'messages.json')
    writeFileSync(messages, `${readFileSync(messages, 'utf8')}{"type":"ws_msg","payl`)
    await rig.until(experiment.end())
    await upload(copy, rig)
    expect(rig.comet.experiment.metrics).toHaveLength(1)
  })

  it('is one experiment, from wherever and under whatever name it is uploaded', async () => {
    const rig = cometRig()
    await logAll(rig, true)
    const path = archiveIn(rig.folder)
    const moved = join(rig.folder, 'moved.zip')
    cpSync(path, moved)
    const { key } = await upload(path, rig)
    expect(await upload(moved, rig)).toMatchObject({ key, wasComplete: true })
    expect(rig.comet.experiments).toHaveLength(1)
  })

  it('is uploaded by one process at a time', async () => {
    const rig = cometRig()
    await logAll(rig, true)
    const path = archiveIn(rig.folder)
    const results = await Promise.allSettled([upload(path, rig), upload(path, rig)])
    expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    expect(String(results.find(({ status }) => status === 'rejected')?.['reason' as never])).toContain(
      `it is being uploaded by another process (${process.pid})`,
    )
    expect(rig.comet.experiments).toHaveLength(1)
  })

  it('that went on after it was uploaded is added to what is there', async () => {
    const rig = cometRig()
    const experiment = rig.begin({ offline: true })
    experiment.logMetric('loss', 1)
    experiment.logAsset(Buffer.from('old'), { fileName: 'emissions.csv', overwrite: true })
    await rig.pass(2)
    const copy = join(rig.folder, 'copy')
    cpSync(archiveIn(rig.folder), copy, { recursive: true })
    rmSync(join(copy, 'writer.lock'))
    await upload(copy, rig)
    experiment.logMetric('loss', 2)
    experiment.addTags(['late'])
    experiment.logAsset(Buffer.from('new'), { fileName: 'emissions.csv', overwrite: true })
    await rig.until(experiment.end())
    expect(await upload(archiveIn(rig.folder), rig)).toMatchObject({ wasComplete: false })
    expect(rig.comet.experiment.metrics.map(({ metricValue }) => metricValue)).toEqual([1, 2])
    expect(rig.comet.experiment.assets.map(({ bytes }) => bytes.toString())).toEqual(['new'])
    expect(rig.comet.experiment.tags).toContain('late')
  })

  it('stays where it was begun, wherever the program goes', async () => {
    const rig = cometRig()
    const home = process.cwd()
    const elsewhere = temporaryFolder()
    onTestFinished(() => {
      process.chdir(home)
    })
    process.chdir(rig.folder)
    writeFileSync('weights.bin', 'x')
    const experiment = rig.begin({ offline: true, offlineDirectory: 'offline' })
    experiment.logAsset('weights.bin')
    process.chdir(elsewhere)
    await rig.until(experiment.end())
    const archive = await readArchive(archiveIn(rig.folder))
    expect(archive.has('file-1-weights.bin')).toBe(true)
    expect(readdirSync(elsewhere)).toEqual([])
  })

  it('is left as a folder where it is large, since nobody waits for a zip at the end', async () => {
    const rig = cometRig()
    const experiment = rig.begin({ offline: true })
    experiment.logAsset(Buffer.alloc(20 * 1024 * 1024), { fileName: 'large.bin' })
    await rig.until(experiment.end())
    expect(archiveIn(rig.folder)).not.toMatch(/\.zip$/)
    await upload(archiveIn(rig.folder), rig)
    expect(rig.comet.experiment.assets).toHaveLength(1)
  })

  it('misses a file that is not there, and says so without taking the folder for a bad one', async () => {
    const rig = cometRig()
    const experiment = rig.begin({ offline: true })
    experiment.logAsset(join(rig.folder, 'nowhere.bin'))
    experiment.logMetric('loss', 1)
    await rig.until(experiment.end())
    expect(rig.said[0]).toMatch(/nowhere\.bin is left out: ENOENT/)
    expect(rig.said.at(-1)).toContain('1 things could not be written and are lost')
    await upload(archiveIn(rig.folder), rig)
    expect(rig.comet.experiment.metrics).toHaveLength(1)
  })

  it('says which folder it goes to where the one that was named cannot be written', async () => {
    const rig = cometRig()
    vi.stubEnv('XDG_STATE_HOME', join(rig.folder, 'state'))
    writeFileSync(join(rig.folder, 'file'), '')
    const experiment = rig.begin({ offline: true, offlineDirectory: join(rig.folder, 'file') })
    experiment.logMetric('loss', 1)
    await rig.until(experiment.end())
    vi.unstubAllEnvs()
    expect(rig.said[0]).toMatch(/file cannot be written, .*state\/codecarbon\/comet takes its place: /)
  })
})

describe('an upload', () => {
  it('has points of one moment as often as they were logged, whatever happens on the way', async () => {
    const rig = cometRig()
    const experiment = rig.begin({ offline: true, autoLogSystem: false })
    for (let turn = 0; turn < 12; turn += 1) experiment.logMetric('m', 1)
    await rig.until(experiment.end())
    const path = archiveIn(rig.folder)
    let requests = 0
    const breaking: Fetch = (url, init) => {
      requests += 1
      // Some were sent, and that was not noted.
      if (requests > 8) rig.comet.fail('reset', { times: 1 })
      return rig.comet.fetch(url, init)
    }
    await expect(upload(path, rig, breaking)).rejects.toThrow('run it again')
    rig.comet.recover()
    await upload(path, rig)
    expect(rig.comet.experiment.metrics).toHaveLength(12)
  })

  it('ends where the server asks to be left alone for long, and waits where it is short', async () => {
    const rig = cometRig()
    await logAll(rig, true)
    const path = archiveIn(rig.folder)
    rig.comet.fail({ status: 429, retryAfter: '21600' }, { path: 'experiment/parameter', times: 1 })
    await expect(upload(path, rig)).rejects.toThrow(
      /asks to be left alone for 360 min; \d+ of \d+ things were sent; run it again/,
    )
    rig.comet.fail({ status: 429, retryAfter: '30' }, { path: 'experiment/parameter', times: 1 })
    const before = rig.clock.now().monotonic
    await upload(path, rig)
    expect(rig.clock.now().monotonic - before).toBeGreaterThanOrEqual(30)
  })

  it('keeps within the limits', async () => {
    const rig = cometRig()
    const experiment = rig.begin({ offline: true })
    for (let step = 0; step < 9000; step += 1) experiment.logMetric('m', step)
    await rig.until(experiment.end())
    const before = rig.clock.now().monotonic
    await upload(archiveIn(rig.folder), rig)
    expect(rig.comet.experiment.metrics).toHaveLength(9000)
    expect(rig.clock.now().monotonic - before).toBeGreaterThan(120)
  })

  it('cuts what is too long for Comet, and numbers the lines of those that do not', async () => {
    const rig = cometRig()
    const folder = join(rig.folder, 'theirs')
    mkdirSync(folder)
    writeFileSync(
      join(folder, 'experiment.json'),
      JSON.stringify({ offline_id: 'ab'.repeat(16), tags: ['t'.repeat(120)] }),
    )
    const payloads = [
      { log_other: { key: 'k'.repeat(120), val: 'v'.repeat(2000) } },
      { metric: { metricName: 'm'.repeat(120), metricValue: 1 }, context: 'c'.repeat(120) },
      { stdout: 'one\n' },
      { stdout: 'two\n' },
    ]
    const lines = payloads.map((payload) =>
      JSON.stringify({ type: 'ws_msg', payload: { local_timestamp: 1_767_225_600_000, ...payload } }),
    )
    writeFileSync(join(folder, 'messages.json'), lines.join('\n'))
    await upload(folder, rig)
    expect(rig.comet.experiment.lines.map(({ output }) => output)).toEqual(['one\n', 'two\n'])
    expect(rig.said).toEqual([])
  })

  it('takes no file that a link in the folder leads to', async () => {
    const rig = cometRig()
    const folder = join(rig.folder, 'theirs')
    mkdirSync(folder)
    writeFileSync(join(rig.folder, 'secret'), 's3cret')
    symlinkSync(join(rig.folder, 'secret'), join(folder, 'file-1-x'))
    writeFileSync(join(folder, 'experiment.json'), JSON.stringify({ offline_id: 'ab'.repeat(16) }))
    writeFileSync(
      join(folder, 'messages.json'),
      JSON.stringify({
        type: 'file_upload',
        payload: { upload_type: 'asset', file_path: 'file-1-x', additional_params: {} },
      }),
    )
    expect(await upload(folder, rig)).toMatchObject({ leftOut: 1 })
    expect(rig.comet.experiment.assets).toEqual([])
  })

  it('makes nothing at the server where its progress cannot be noted', async () => {
    const rig = cometRig()
    await logAll(rig, true)
    writeFileSync(join(rig.folder, 'notes'), '')
    await expect(upload(archiveIn(rig.folder), rig)).rejects.toThrow('make that folder writable')
    expect(rig.comet.experiments).toEqual([])
  })

  it.each([
    ['no zip', Buffer.from('hello'), 'it is no zip file'],
    ['an empty file', Buffer.alloc(0), 'it is empty'],
    [
      'a part of one',
      zipSync({ 'experiment.json': Buffer.from('{}') }).slice(0, 40),
      'was not copied to its end',
    ],
    ['a zip that holds too much', claiming(2 ** 31), 'it holds more than 1 GiB'],
  ])('of %s says what is wrong', async (_title, bytes, words) => {
    const path = join(temporaryFolder(), 'a.zip')
    writeFileSync(path, bytes)
    await expect(readArchive(path)).rejects.toThrow(words)
  })
})

/** A zip file whose directory says that its one file has so many bytes. */
function claiming(size: number): Uint8Array {
  const bytes = Buffer.from(zipSync({ 'experiment.json': Buffer.from('{}') }))
  const entry = bytes.indexOf(Buffer.from('PK\u0001\u0002'))
  bytes.writeUInt32LE(size, entry + 24)
  return bytes
}

describe.skipIf(!hasPython())('an archive, as Python reads it,', () => {
  const program = `
import json, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as archive:
    assert archive.testzip() is None
    lines = [json.loads(line) for line in archive.read('messages.json').decode().splitlines()]
    print(json.dumps({
        'names': sorted(archive.namelist()),
        'experiment': json.loads(archive.read('experiment.json')),
        'lines': lines,
        'files': {line['payload']['file_path']: archive.read(line['payload']['file_path']).hex() for line in lines if line['type'] == 'file_upload'},
    }))
`
  it('has the form of comet_ml', async () => {
    const rig = cometRig()
    await logAll(rig, true)
    const path = archiveIn(rig.folder)
    const { stdout, stderr } = spawnSync('python3', ['-c', program, path], { encoding: 'utf8' })
    expect(stderr).toBe('')
    const read = JSON.parse(stdout) as Record<string, unknown>
    expect(path).toMatch(/[\da-f]{32}\.zip$/)
    expect(read).toMatchObject({
      names: ['experiment.json', 'file-1-weights.bin', 'file-2-emissions.csv', 'messages.json'],
      files: { 'file-1-weights.bin': '00ff0d0a', 'file-2-emissions.csv': Buffer.from('new').toString('hex') },
      experiment: {
        offline_id: expect.stringMatching(/^[\da-f]{32}$/) as string,
        project_name: 'digits',
        workspace: 'ada',
        tags: ['train', 'late'],
        start_time: expect.any(Number) as number,
        stop_time: expect.any(Number) as number,
        disabled: false,
        log_code: false,
      },
    })
    const payloads = (read['lines'] as { type: string; payload: object }[]).map(({ type, payload }) => ({
      type,
      ...payload,
    }))
    expect(payloads).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          type: 'ws_msg',
          local_timestamp: expect.any(Number) as number,
          metric: { metricName: 'loss', metricValue: 0.5, step: 1, epoch: 1 },
          context: 'train',
        }),
        expect.objectContaining({
          type: 'ws_msg',
          param: { paramName: 'rate', paramValue: '0.01', step: null },
        }),
        expect.objectContaining({ type: 'ws_msg', log_other: { key: 'note', val: 'Zürich "東京"' } }),
        expect.objectContaining({ type: 'ws_msg', env_details: { os: 'Linux', os_release: '6.1', pid: 7 } }),
        expect.objectContaining({
          type: 'file_upload',
          upload_type: 'asset',
          file_path: 'file-1-weights.bin',
          additional_params: expect.objectContaining({
            fileName: 'weights.bin',
            extension: 'bin',
            overwrite: false,
            step: 3,
          }) as object,
        }),
      ]),
    )
  })

  it('is one of comet_ml the other way round, too', async () => {
    const folder = temporaryFolder()
    const path = join(folder, 'theirs.zip')
    const make = `
import json, sys, zipfile
lines = [
  {'type': 'ws_msg', 'payload': {'local_timestamp': 1767225600000, 'metric': {'metricName': 'loss', 'metricValue': '0.5', 'step': 1}}},
  {'type': 'ws_msg', 'payload': {'local_timestamp': 1767225600001, 'param': {'paramName': 'rate', 'paramValue': 0.01}}},
  {'type': 'ws_msg', 'payload': {'local_timestamp': 1767225600002, 'log_other': {'key': 'Name', 'val': 'theirs'}}},
  {'type': 'ws_msg', 'payload': {'local_timestamp': 1767225600003, 'git_meta': {'branch': 'main'}}},
  {'type': 'file_upload', 'payload': {'upload_type': 'asset', 'file_path': 'tmp123', 'additional_params': {'fileName': 'emissions.csv', 'overwrite': False, 'step': None}, 'clean': True, 'metadata': None}},
  {'type': 'file_upload', 'payload': {'upload_type': 'asset', 'file_path': '../../secret', 'additional_params': {}}},
]
with zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_DEFLATED) as archive:
  archive.writestr('experiment.json', json.dumps({'offline_id': 'ab' * 16, 'project_name': 'digits', 'workspace': 'ada', 'start_time': 1767225600000, 'stop_time': 1767225660000, 'tags': ['x'], 'disabled': False}))
  archive.writestr('messages.json', ''.join(json.dumps(line) + '\\n' for line in lines))
  archive.writestr('tmp123', 'a,b')
`
    expect(spawnSync('python3', ['-c', make, path], { encoding: 'utf8' }).stderr).toBe('')
    const rig = cometRig()
    await upload(path, rig)
    expect(rig.comet.experiment).toMatchObject({
      name: 'theirs',
      metrics: [{ metricName: 'loss', metricValue: 0.5, step: 1, timestamp: 1_767_225_600_000 }],
      assets: [{ fileName: 'emissions.csv' }],
      startTimeMillis: 1_767_225_600_000,
      endTimeMillis: 1_767_225_660_000,
    })
    expect(rig.said).toEqual(['asset ../../secret is left out: the archive has no file ../../secret'])
  })
})

describe('codecarbon comet upload', () => {
  const environment = (comet: CometSimulator): Record<string, string> => ({
    COMET_API_KEY: apiKey,
    COMET_URL_OVERRIDE: comet.url,
    COMET_WORKSPACE: 'ada',
  })

  it('sends an archive, tells where it is, and does nothing the second time', async () => {
    const rig = cometRig()
    await logAll(rig, true)
    const comet = await startComet()
    const path = archiveIn(rig.folder)
    const options = { folder: rig.folder, env: environment(comet) }
    const first = await runCli(['comet', 'upload', path], options)
    expect(first).toMatchObject({ code: 0, stderr: '' })
    expect(first.stdout).toMatch(new RegExp(`things sent to ${comet.url}/ada/digits/`))
    const second = await runCli(['comet', 'upload', '--json', path], options)
    expect(JSON.parse(second.stdout)).toMatchObject({
      was_complete: true,
      sent: 0,
      key: comet.experiment.key,
    })
    expect(comet.experiment.metrics).toHaveLength(2)
  })

  it('goes on with the others where one cannot be read', async () => {
    const rig = cometRig()
    await logAll(rig, true)
    const comet = await startComet()
    const { folder } = rig
    const bad = join(folder, 'bad.zip')
    writeFileSync(bad, 'x')
    const notes = join(folder, 'old.zip.upload.json')
    writeFileSync(notes, '{}')
    const options = { folder, env: environment(comet) }
    const ended = await runCli(['comet', 'upload', '--json', bad, notes, archiveIn(folder)], options)
    expect(ended.code).toBe(1)
    const lines = ended.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object)
    expect(lines).toMatchObject([
      { archive: bad, error: expect.stringContaining('no zip file') as string },
      { key: comet.experiment.key },
    ])
    expect(ended.stderr).toContain('it is no zip file')
  })

  it('sends the key nowhere where the address cannot be read', async () => {
    const rig = cometRig()
    await logAll(rig, true)
    const env = { COMET_API_KEY: apiKey, COMET_URL_OVERRIDE: 'comet.example' }
    const ended = await runCli(['comet', 'upload', archiveIn(rig.folder)], { folder: rig.folder, env })
    expect(ended.code).toBe(2)
    expect(ended.stderr).toContain('nothing is uploaded while the address of the server cannot be read')
  })

  it.each([
    ['no key', {}, 2, 'an API key is missing: give COMET_API_KEY'],
    ['a wrong key', { COMET_API_KEY: 'wr0ng' }, 1, 'does not know this API key: check COMET_API_KEY'],
  ] as const)('with %s says what to do', async (_title, env, code, words) => {
    const rig = cometRig()
    await logAll(rig, true)
    const comet = await startComet()
    const own = environment(comet)
    const { folder } = rig
    const ended = await runCli(['comet', 'upload', archiveIn(folder)], {
      folder,
      env: { ...own, COMET_API_KEY: '', ...env },
    })
    expect(ended).toMatchObject({ code, stdout: '' })
    expect(ended.stderr).toContain(words)
    expect(ended.stderr.trimEnd().split('\n')).toHaveLength(1)
  })

  it.each([
    ['nothing', undefined, /cannot be read as an archive of an experiment: ENOENT/],
    ['no zip', Buffer.from('hello'), /cannot be read as an archive of an experiment/],
    [
      'another zip',
      zipSync({ 'a.txt': Buffer.from('x') }),
      /has no experiment\.json: this is no archive of an experiment of Comet/,
    ],
    ['a broken one', zipSync({ 'experiment.json': Buffer.from('{') }), /experiment\.json is no JSON object/],
    ['one of something else', zipSync({ 'experiment.json': Buffer.from('{}') }), /names no offline_id/],
  ])('says what is wrong with %s', async (_title, bytes, message) => {
    const path = join(temporaryFolder(), 'archive.zip')
    if (bytes !== undefined) writeFileSync(path, bytes)
    await expect(readArchive(path)).rejects.toThrow(message)
  })
})

describe('an archive that cannot be written', () => {
  it('where it should be goes to the state directory', async (context) => {
    const rig = cometRig()
    const state = join(rig.folder, 'state')
    vi.stubEnv('XDG_STATE_HOME', state)
    context.onTestFinished(() => {
      vi.unstubAllEnvs()
    })
    writeFileSync(join(rig.folder, 'offline'), 'a file in the way')
    const experiment = rig.begin({ offline: true })
    experiment.logMetric('loss', 1)
    await rig.until(experiment.end())
    expect(readdirSync(join(state, 'codecarbon/comet'))).toEqual([expect.stringMatching(/\.zip$/) as string])
  })

  it.skipIf(!hasNamespaces())(
    'on a full disk costs the program nothing but the archive, and is told once',
    async () => {
      const folder = temporaryFolder()
      mkdirSync(join(folder, 'small'))
      const program = `
import { startExperiment } from 'codecarbon/comet'
const experiment = await startExperiment({ apiKey: 'k', offline: true, offlineDirectory: ${JSON.stringify(join(folder, 'small'))}, autoLogCo2: false })
for (let step = 0; step < 20000; step += 1) experiment.logMetric('m' + step % 7, step)
experiment.logAsset(Buffer.alloc(100000), { fileName: 'large' })
await experiment.end()
console.log('went on')
`
      const root = new URL('../../..', import.meta.url).pathname
      const script = `mount -t tmpfs -o size=64k none ${join(folder, 'small')} && ${process.execPath} --input-type=module -e "$PROGRAM"; echo "code $?"; ls ${join(folder, 'small')} | wc -l`
      const { ended } = startChild('unshare', ['-rm', 'sh', '-c', script], {
        folder,
        cwd: root,
        env: { PROGRAM: program },
        input: '',
      })
      const { stdout, stderr } = await ended
      expect(stdout).toContain('went on\ncode 0\n')
      expect(stderr.split('\n').filter((line) => line.includes('cannot be written'))).toHaveLength(1)
      expect(existsSync(join(folder, 'small'))).toBe(true)
    },
  )
})
