import { parse } from 'csv-parse/sync'
import { describe, expect, it } from 'vitest'
import type { Exporter } from '../../../src/core/exporter.ts'
import type { MlflowOptions } from '../../../src/integrations/mlflow/mlflow-options.ts'
import { createMlflowOutput } from '../../../src/integrations/mlflow/mlflow-output.ts'
import { itIsAnExporter } from '../../contract/exporter.ts'
import { recordOf, reportOf, taskOf, unmeasuredRecord } from '../../fixtures/csv/records.ts'
import { fakeClock, type FakeClock } from '../../fixtures/fake-clock.ts'
import { createMlflow, type Fault, type MlflowServer } from '../../fixtures/mlflow/server.ts'
import { viewOf } from '../../fixtures/run-view.ts'

interface Rig {
  readonly server: MlflowServer
  readonly exporter: Exporter
  readonly clock: FakeClock
  readonly messages: string[]
  /** Ids of runs in the tables that were uploaded. */
  readonly uploaded: string[]
}

function rig(options: MlflowOptions = {}, server = createMlflow()): Rig {
  const clock = fakeClock()
  const messages: string[] = []
  const uploaded: string[] = []
  const exporter = createMlflowOutput(
    { trackingUri: server.url, ...options },
    {
      clock,
      log: (_severity, message) => void messages.push(message),
      random: () => 0.5,
      async fetch(url, init) {
        const answer = await server.fetch(url, init)
        if (url.endsWith('/emissions.csv') && answer.status === 200) {
          const [row] = parse<Record<string, string>>(Buffer.from(init.body ?? '').toString(), {
            columns: true,
          })
          uploaded.push(row?.['run_id'] ?? '')
        }
        return answer
      },
    },
  )
  return { server, exporter, clock, messages, uploaded }
}

/** Lets what goes on in the background go on. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

/** Lets a promise go on whose timers belong to a clock that stands still. */
async function settled(clock: FakeClock, promise: void | Promise<void>): Promise<void> {
  let isDone = false
  const done = Promise.resolve(promise).finally(() => {
    isDone = true
  })
  done.catch(() => undefined)
  for (let turn = 0; turn < 3000 && !isDone; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve))
    if (turn % 20 === 19) clock.advance(0.1)
  }
  return done
}

itIsAnExporter('a run of MLflow', () => {
  const { exporter, uploaded, server } = rig()
  return {
    exporter,
    delivered: () => uploaded,
    deliveredTasks: () =>
      server.runs.flatMap(({ metrics }) =>
        metrics.flatMap(({ key }) => /^codecarbon_task_duration\/(.+)$/.exec(key)?.[1] ?? []),
      ),
  }
})

describe('a run of MLflow', () => {
  it('of its own is made in the experiment of that name, and ends with the run', async () => {
    const { exporter, server } = rig({ experimentName: 'digits', runName: 'first' })
    await exporter.export(reportOf('flush'))
    expect(server.run).toMatchObject({ name: 'first', status: 'RUNNING', endMs: undefined })
    await exporter.export(reportOf('stop'))
    const { experimentId, status, endMs, startMs, tags } = server.run
    expect(server.experiments.get(experimentId)).toBe('digits')
    expect(status).toBe('FINISHED')
    expect((endMs ?? 0) - startMs).toBe(120_000)
    expect(tags.get('codecarbon.run_id')).toBe('run-1')
    expect(server.count('experiments/create')).toBe(1)
    expect(server.count('runs/create')).toBe(1)
  })

  it('of its own ends where nothing keeps the process alive, and again where that goes on', async () => {
    const { exporter, server } = rig()
    const task = taskOf('load')
    await exporter.export({ ...reportOf('flush', recordOf(), [task]), mayBeLast: true })
    expect(server.run).toMatchObject({ status: 'FINISHED' })
    const { endMs = 0 } = server.run
    await exporter.export(reportOf('flush', recordOf({ duration: 240 }), [task]))
    await exporter.export(reportOf('stop', recordOf({ duration: 241 })))
    expect(server.run).toMatchObject({ status: 'FINISHED', endMs })
    expect(server.count('runs/update')).toBe(2)
    expect(server.run.metrics.filter(({ key }) => key.startsWith('codecarbon_task_duration'))).toHaveLength(1)
  })

  it('is told once a second where a program flushes all the time, and of each task', async () => {
    const { exporter, server } = rig()
    for (let tenth = 0; tenth < 20; tenth += 1)
      await exporter.export(
        reportOf('flush', recordOf({ duration: 10 + tenth / 10 }), [taskOf(`step ${tenth}`)]),
      )
    expect(server.run.metrics.filter(({ key }) => key === 'codecarbon_duration')).toHaveLength(2)
    await exporter.export(reportOf('stop', recordOf({ duration: 12 })))
    const tasks = server.run.metrics.filter(({ key }) => key.startsWith('codecarbon_task_duration/'))
    expect(tasks).toHaveLength(20)
  })

  it('has names of any script, and no two of them as one', async () => {
    const { exporter, server } = rig()
    const names = ['größe', '学习', 'a:b', 'a?b']
    await exporter.export(
      reportOf(
        'stop',
        recordOf(),
        names.map((name) => taskOf(name)),
      ),
    )
    const keys = server.run.metrics.flatMap(
      ({ key }) => /^codecarbon_task_duration\/(.*)/.exec(key)?.[1] ?? [],
    )
    expect(keys).toEqual(['größe', '学习', 'a_b', 'a_b 2'])
  })

  it('tells where it is', async () => {
    const { exporter, server } = rig()
    expect(exporter.place?.()).toBeUndefined()
    await exporter.export(reportOf('stop'))
    expect(exporter.place?.()).toBe(`${server.url}/#/experiments/0/runs/${server.run.id}`)
  })

  it('goes to an experiment that is there already, and to Default where none is named', async () => {
    const server = createMlflow()
    const first = rig({ experimentName: 'digits' }, server)
    await first.exporter.export(reportOf('stop'))
    const second = rig({ experimentName: 'digits' }, server)
    await second.exporter.export(reportOf('stop', recordOf({ runId: 'run-2' })))
    const third = rig({}, server)
    await third.exporter.export(reportOf('stop', recordOf({ runId: 'run-3' })))
    expect(server.runs.map(({ experimentId, name }) => [experimentId, name])).toEqual([
      ['1', 'digits'],
      ['1', 'digits'],
      ['0', 'digits'],
    ])
  })

  it('that is named is added to and goes on', async () => {
    const server = createMlflow()
    const given = server.addRun()
    const { exporter } = rig({ runId: given.id }, server)
    await exporter.export(reportOf('stop'))
    expect(server.run).toMatchObject({ id: given.id, status: 'RUNNING', endMs: undefined })
    expect(server.run.params.get('codecarbon_country')).toBe('France')
    expect(server.files.has(`0/${given.id}/artifacts/emissions.csv`)).toBe(true)
  })

  it('may be one below that which is named', async () => {
    const server = createMlflow()
    const parent = server.addRun()
    const { exporter } = rig({ runId: parent.id, nested: true }, server)
    await exporter.export(reportOf('stop'))
    expect(server.runs).toHaveLength(2)
    expect(server.runs[1]).toMatchObject({ experimentId: '0', status: 'FINISHED' })
    expect(server.runs[1]?.tags.get('mlflow.parentRunId')).toBe(parent.id)
    expect(parent.metrics).toEqual([])
  })

  it('is told figures, facts and totals', async () => {
    const { exporter, server } = rig()
    await exporter.export(reportOf('stop'))
    const { metrics, params, tags } = server.run
    expect(Object.fromEntries(metrics.map(({ key, value }) => [key, value]))).toMatchObject({
      codecarbon_emissions: 0.000044,
      codecarbon_energy_consumed: 0.001,
      codecarbon_cpu_power: 27,
      codecarbon_measured_share: 0.9,
    })
    expect(new Set(metrics.map(({ step, timestamp }) => `${step} ${timestamp}`))).toEqual(
      new Set([`120 ${Date.UTC(2026, 7, 8, 12)}`]),
    )
    expect(params.get('codecarbon_cpu_method')).toBe('measured (rapl)')
    expect(tags.get('codecarbon/CO2 emissions low kg')).toBe('0.00004')
    expect(tags.get('codecarbon/Carbon intensity g per kWh')).toBe('44')
    const page = [...server.files].find(([name]) => name.endsWith('/codecarbon.html'))?.[1]
    expect(page).toMatchObject({ contentType: 'text/html' })
    expect(page?.text).toContain('CodeCarbon: digits')
  })

  it('is told nothing that nobody measured', async () => {
    const { exporter, server } = rig()
    await exporter.export(reportOf('stop', unmeasuredRecord()))
    expect(server.run.metrics.map(({ key }) => key)).toEqual([
      'codecarbon_duration',
      'codecarbon_carbon_intensity',
    ])
    expect(server.run.tags.get('codecarbon/Energy kWh')).toBe('unmeasured')
  })

  it('has epochs as steps of one series, other tasks by their number, and 100 series at most', async () => {
    const { exporter, server } = rig()
    const epochs = Array.from({ length: 150 }, (_, index) => taskOf(`epoch ${index + 1}`))
    await exporter.export(reportOf('live', recordOf(), [...epochs, taskOf('load/data')]))
    await exporter.export(reportOf('stop', recordOf({ duration: 240 }), [taskOf('load/data')]))
    const steps = (series: string): number[] =>
      server.run.metrics
        .filter(({ key }) => key === `codecarbon_task_duration/${series}`)
        .map(({ step }) => step)
    expect(steps('epoch')).toEqual(Array.from({ length: 150 }, (_, index) => index + 1))
    expect(steps('load_data')).toEqual([1, 2])
    const many = rig()
    const tasks = Array.from({ length: 300 }, (_, index) => taskOf(`task at ${index} o'clock`))
    await many.exporter.export(reportOf('stop', recordOf(), tasks))
    const names = new Set(many.server.run.metrics.map(({ key }) => key.split('/')[1]))
    expect(names.size).toBeLessThanOrEqual(102)
    expect(names).toContain('_other')
  })

  it('keeps its parameters; one that has changed is a tag, also where somebody else gave it', async () => {
    const server = createMlflow()
    const given = server.addRun({ params: new Map([['codecarbon_pue', '1.5']]) })
    const { exporter } = rig({ runId: given.id }, server)
    await exporter.export(reportOf('flush'))
    const place = { ...recordOf().place, countryName: 'Spain' }
    await exporter.export(reportOf('stop', recordOf({ duration: 240, place })))
    const { params, tags } = server.run
    expect([params.get('codecarbon_country'), tags.get('codecarbon_country')]).toEqual(['France', 'Spain'])
    expect([params.get('codecarbon_pue'), tags.get('codecarbon_pue')]).toEqual(['1.5', '1'])
  })

  it.each(['s3://bucket/mlflow', 'file:///srv/mlruns', '/srv/mlruns', 'mlflow-artifacts://other:5000/x'])(
    'whose files are kept at %s is told all else, and the user is told once',
    async (artifactRoot) => {
      const { exporter, server, messages } = rig({}, createMlflow({ artifactRoot }))
      await exporter.export(reportOf('flush'))
      await exporter.export(reportOf('stop', recordOf({ duration: 240 })))
      expect(server.run.status).toBe('FINISHED')
      expect(server.files.size).toBe(0)
      expect(messages).toEqual([expect.stringContaining('emissions.csv is not uploaded') as string])
    },
  )

  it('shows the run after 10 s and then each 30 s, until it ends', async () => {
    const { exporter, server, clock, uploaded } = rig()
    const begun = clock.now().monotonic
    void exporter.open?.(() => viewOf(recordOf({ duration: clock.now().monotonic - begun })))
    for (let second = 0; second < 120; second += 1) {
      clock.advance(1)
      await turns()
    }
    expect(uploaded).toHaveLength(4)
    const steps = server.run.metrics.filter(({ key }) => key === 'codecarbon_duration')
    expect(steps.map(({ step }) => step)).toEqual([10, 40, 70, 100])
    expect(server.run.status).toBe('RUNNING')
    await exporter.export(reportOf('stop', recordOf({ duration: 121 })))
    await exporter.close?.()
    expect(server.run.status).toBe('FINISHED')
    expect(clock.waiting).toBe(0)
  })

  it('is told no more often than each 9 s while the run goes on, and of each task', async () => {
    const { exporter, server } = rig()
    for (let second = 1; second <= 60; second += 1)
      await exporter.export(reportOf('live', recordOf({ duration: second }), [taskOf(`epoch ${second}`)]))
    await exporter.export(reportOf('stop', recordOf({ duration: 61 })))
    expect(server.seen.length).toBeLessThan(30)
    expect(server.run.metrics.filter(({ key }) => key.startsWith('codecarbon_task_duration'))).toHaveLength(
      60,
    )
  })
})

describe('a server of MLflow', () => {
  it.each<[string, MlflowOptions, string]>([
    ['a token', { token: 't0ken' }, 'Bearer t0ken'],
    ['a password', { username: 'ada', password: 'pw' }, `Basic ${Buffer.from('ada:pw').toString('base64')}`],
  ])('is asked with %s', async (_title, options, authorization) => {
    const { exporter, server } = rig(options, createMlflow({ authorization }))
    await exporter.export(reportOf('stop'))
    expect(server.run.status).toBe('FINISHED')
  })

  it.each<[Fault, string]>([
    [{ status: 401 }, 'MLflow at mlflow.test does not accept the credentials'],
    [{ status: 403 }, 'does not allow that'],
    [{ status: 404, page: true }, 'has no MLflow at this address: check MLFLOW_TRACKING_URI'],
    [{ status: 200, page: true }, 'has no MLflow at this address'],
    [{ status: 302 }, 'has no MLflow at this address'],
    [{ status: 503 }, 'is not able to answer at the moment (HTTP 503)'],
    [{ status: 429, retryAfter: '60' }, 'was asked too often'],
    ['reset', 'cannot be reached'],
    ['hang', 'gave no complete answer within'],
  ])('that fails by %j is an error of the output that says what to do, within 5 s', async (fault, words) => {
    const { exporter, server, clock } = rig({ token: 's3cret' })
    server.fail(fault)
    const begun = clock.now().monotonic
    const error: unknown = await settled(clock, exporter.export(reportOf('stop'))).catch(
      (thrown: unknown) => thrown,
    )
    expect(error).toMatchObject({ code: 'ERR_EXPORT_FAILED' })
    expect(String(error)).toContain(words)
    expect(String(error)).not.toContain('s3cret')
    expect(clock.now().monotonic - begun).toBeLessThan(5)
  })

  it('that was away for a while is told all that it missed', async () => {
    const { exporter, server, clock } = rig()
    server.fail({ status: 503 })
    for (const duration of [20, 40])
      await settled(clock, exporter.export(reportOf('live', recordOf({ duration })))).catch(() => undefined)
    server.recover()
    await exporter.export(reportOf('stop', recordOf({ duration: 60 })))
    const steps = server.run.metrics.filter(({ key }) => key === 'codecarbon_energy_consumed')
    expect(steps.map(({ step }) => step)).toEqual([20, 40, 60])
  })

  it('that fails now and then is asked again, and has nothing twice', async () => {
    const { exporter, server, clock } = rig()
    server.fail({ status: 503 }, { times: 2 })
    server.fail('commit and reset', { path: 'log-batch', times: 2 })
    server.fail('commit and reset', { path: 'runs/create', times: 1 })
    await settled(clock, exporter.export(reportOf('stop')))
    const { metrics, status } = server.run
    expect(status).toBe('FINISHED')
    expect(new Set(metrics.map(({ key }) => key)).size).toBe(metrics.length)
  })

  it('is left alone by live reports while it fails, as long as it asks for', async () => {
    const { exporter, server, clock } = rig()
    server.fail({ status: 429, retryAfter: '60' }, { times: 1 })
    await exporter.export(reportOf('live', recordOf({ duration: 10 })))
    await turns()
    clock.advance(30)
    // Nobody waits for a live report: the next one tells what was wrong.
    await expect(exporter.export(reportOf('live', recordOf({ duration: 40 })))).rejects.toThrow('too often')
    await turns()
    expect(server.seen).toHaveLength(1)
    clock.advance(31)
    await exporter.export(reportOf('live', recordOf({ duration: 71 })))
    await turns()
    expect(server.run.metrics.filter(({ key }) => key === 'codecarbon_duration')).toHaveLength(3)
  })

  it('that hangs at a live report does not hold up the end', async () => {
    const { exporter, server, clock } = rig()
    server.fail('hang', { path: 'log-batch', times: 1 })
    await exporter.export(reportOf('live', recordOf({ duration: 10 })))
    await turns()
    const begun = clock.now().monotonic
    await exporter.export(reportOf('stop', recordOf({ duration: 20 })))
    expect(clock.now().monotonic).toBe(begun)
    expect(server.run.status).toBe('FINISHED')
    expect(server.run.metrics.filter(({ key }) => key === 'codecarbon_duration')).toHaveLength(2)
  })

  it('that hangs at the figures ends the run all the same, and says how long it was waited for', async () => {
    const { exporter, server, clock } = rig()
    server.fail('hang', { path: 'log-batch' })
    const begun = clock.now().monotonic
    await expect(settled(clock, exporter.export(reportOf('stop')))).rejects.toThrow('within 3.5 s')
    expect(server.run.status).toBe('FINISHED')
    expect(clock.now().monotonic - begun).toBeLessThan(4.6)
  })

  it('that hangs a little is told of by the first wait, and not by what was left of the time', async () => {
    const { exporter, server, clock } = rig({ requestMs: 3000 })
    server.fail('hang', { path: 'runs/create' })
    await expect(settled(clock, exporter.export(reportOf('stop')))).rejects.toThrow('within 3 s')
  })

  it('without the experiment says which option names it', async () => {
    const { exporter } = rig({ experimentId: '999' })
    await expect(exporter.export(reportOf('stop'))).rejects.toThrow(
      'makes no run in the experiment 999: check MLFLOW_EXPERIMENT_ID (experimentId in code); it does not have what it was asked about (HTTP 404',
    )
  })

  it('that refuses one thing has all others, and the run ends', async () => {
    const server = createMlflow({ isStrict: false })
    const { exporter } = rig({}, server)
    server.fail({ status: 400 }, { path: 'log-batch', times: 1 })
    await expect(exporter.export(reportOf('stop'))).rejects.toThrow('did not take it (HTTP 400)')
    expect(server.run.metrics).toEqual([])
    expect(server.run.params.size).toBeGreaterThan(5)
    expect(server.files.size).toBe(2)
    expect(server.run.status).toBe('FINISHED')
  })

  it.each([
    ['unknown', 'has no run unknown: check MLFLOW_RUN_ID'],
    ['given1', undefined],
  ])('without the run %s says so', async (runId, message) => {
    const server = createMlflow()
    server.addRun()
    const { exporter } = rig({ runId }, server)
    const sent = Promise.resolve(exporter.export(reportOf('stop')))
    await (message === undefined ? sent : expect(sent).rejects.toThrow(message))
  })
})

describe('MLflow that cannot be used', () => {
  it.each<[string, NodeJS.ProcessEnv, string]>([
    ['no server', {}, 'give MLFLOW_TRACKING_URI'],
    [
      'a file',
      { MLFLOW_TRACKING_URI: 'sqlite:///mlflow.db' },
      'expected an address that begins with http:// or https://',
    ],
    [
      'a certificate that is not there',
      { MLFLOW_TRACKING_URI: 'https://mlflow.test', MLFLOW_TRACKING_SERVER_CERT_PATH: '/nowhere/ca.pem' },
      'MLFLOW_TRACKING_SERVER_CERT_PATH cannot be read',
    ],
    [
      'a certificate that is none',
      { MLFLOW_TRACKING_URI: 'https://mlflow.test', MLFLOW_TRACKING_CLIENT_CERT_PATH: '/proc/version' },
      'holds no certificate (PEM)',
    ],
  ])('because of %s says so when it begins, and goes on', async (_title, environment, message) => {
    const before = { ...process.env }
    Object.assign(process.env, environment)
    try {
      const exporter = createMlflowOutput({}, { log: () => undefined })
      expect(() => exporter.open?.(() => viewOf())).toThrow(message)
      await exporter.export(reportOf('stop'))
    } finally {
      for (const name of Object.keys(environment)) delete process.env[name]
      Object.assign(process.env, before)
    }
  })
})
