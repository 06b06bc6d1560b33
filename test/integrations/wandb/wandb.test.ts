import { describe, expect, it } from 'vitest'
import { createWandbExporter } from '../../../src/integrations/wandb/wandb.ts'
import { itIsAnExporter } from '../../contract/exporter.ts'
import { recordOf, reportOf, taskOf, unmeasuredRecord } from '../../fixtures/csv/records.ts'

type Row = Record<string, unknown>

/** A module that writes into what it is given, as the real one does. */
function moduleOf(): { readonly rows: Row[]; log(data: Row): void } {
  const rows: Row[] = []
  return {
    rows,
    log(data) {
      data['_step'] = rows.length
      rows.push(data)
    },
  }
}

/** A part of a module that takes values. */
const taking = (): { readonly taken: Row; update(values: Row): void } => {
  const taken: Row = {}
  return { taken, update: (values) => void Object.assign(taken, values) }
}

itIsAnExporter('a run of Weights & Biases', () => {
  const { rows, ...wandb } = moduleOf()
  const given = {
    ...wandb,
    summary: { update: (values: Row) => void runs.push(values['carbon/CodeCarbon run']) },
  }
  const runs: unknown[] = []
  return {
    exporter: createWandbExporter(given),
    delivered: () => runs.filter((id) => id !== undefined).map(String),
    deliveredTasks: () =>
      rows.flatMap((row) =>
        Object.keys(row).flatMap((key) => /^carbon\/task_step\/(.+)$/.exec(key)?.[1] ?? []),
      ),
  }
})

describe('a run of Weights & Biases', () => {
  it('is told figures at each report, and facts with the last ones where there is nowhere else', async () => {
    const wandb = moduleOf()
    const exporter = createWandbExporter(wandb)
    await exporter.export(reportOf('flush'))
    await exporter.export(reportOf('stop', recordOf({ duration: 240 })))
    const [first, last] = wandb.rows
    expect(first).toMatchObject({
      'carbon/emissions': 0.000044,
      'carbon/cpu_power': 27,
      'carbon/duration': 120,
    })
    expect(first).not.toHaveProperty('carbon/country')
    expect(last).toMatchObject({
      'carbon/country': 'France',
      'carbon/cpu_method': 'measured (rapl)',
      'carbon/CO2 emissions, low (kg)': 0.00004,
    })
  })

  it('is told facts and totals where the module has places for them', async () => {
    const [config, summary] = [taking(), taking()]
    const wandb = { ...moduleOf(), config, summary }
    await createWandbExporter(wandb).export(reportOf('stop'))
    expect(config.taken).toMatchObject({ 'carbon/country': 'France' })
    expect(summary.taken).toMatchObject({ 'carbon/Energy (kWh)': 0.001 })
    expect(wandb.rows).toHaveLength(1)
    expect(wandb.rows[0]).not.toHaveProperty('carbon/country')
  })

  it('has a row for each epoch', async () => {
    const wandb = moduleOf()
    await createWandbExporter(wandb).export(
      reportOf('stop', recordOf(), [taskOf('epoch 1'), taskOf('epoch 2', { energyConsumed: 0.002 })]),
    )
    expect(wandb.rows.slice(1)).toMatchObject([
      { 'carbon/task_energy_consumed/epoch': 0.001, 'carbon/task_step/epoch': 1 },
      { 'carbon/task_energy_consumed/epoch': 0.002, 'carbon/task_step/epoch': 2 },
    ])
  })

  it('is told no more often than each 9 s while the run goes on', async () => {
    const wandb = moduleOf()
    const exporter = createWandbExporter(wandb)
    for (let second = 1; second <= 60; second += 1)
      await exporter.export(reportOf('live', recordOf({ duration: second })))
    expect(wandb.rows).toHaveLength(7)
  })

  it('has no figure that nobody measured', async () => {
    const wandb = moduleOf()
    await createWandbExporter(wandb).export(reportOf('flush', unmeasuredRecord()))
    expect(wandb.rows).toEqual([{ _step: 0, 'carbon/duration': 120, 'carbon/carbon_intensity': 44 }])
  })

  it('that failed once is told all that it missed', async () => {
    const wandb = moduleOf()
    let fails = true
    const flaky = {
      log(data: Row): void {
        if (fails) throw new Error('busy')
        wandb.log(data)
      },
    }
    const exporter = createWandbExporter(flaky)
    await expect(exporter.export(reportOf('flush', recordOf(), [taskOf('epoch 1')]))).rejects.toThrow('busy')
    fails = false
    await exporter.export(reportOf('stop', recordOf({ duration: 240 }), [taskOf('epoch 2')]))
    expect(wandb.rows).toMatchObject([
      { 'carbon/carbon_intensity': 44, 'carbon/country': 'France' },
      { 'carbon/task_step/epoch': 1 },
      { 'carbon/task_step/epoch': 2 },
    ])
  })

  it('is told facts where nothing keeps the process alive', async () => {
    const wandb = moduleOf()
    const exporter = createWandbExporter(wandb)
    expect(exporter.isRemote).toBe(true)
    await exporter.export({ ...reportOf('flush'), mayBeLast: true })
    expect(wandb.rows).toMatchObject([{ 'carbon/country': 'France' }])
  })

  it('that has ended before says that the tracker is to be stopped first', async () => {
    const log = (): never => {
      throw new Error('Cannot log before calling wandb.init()')
    }
    await expect(createWandbExporter({ log }).export(reportOf('stop'))).rejects.toThrow(
      'start the tracker after wandb.init() and stop it before wandb.finish() (Cannot log',
    )
    expect(() => createWandbExporter({ log }).exportSync?.(reportOf('exit'))).toThrow('before wandb.finish()')
  })

  it('that was not begun, or fails later, is an error of the output', async () => {
    const log = (): never => {
      throw new Error('Cannot log before calling wandb.init()')
    }
    await expect(createWandbExporter({ log }).export(reportOf('stop'))).rejects.toThrow(
      'before calling wandb.init',
    )
    const later = { log: () => Promise.reject(new Error('later')) }
    await expect(createWandbExporter(later).export(reportOf('stop'))).rejects.toThrow('later')
    createWandbExporter(later).exportSync?.(reportOf('exit'))
  })

  it.each([[undefined], [null], [{}], ['wandb']])('needs a module: %j is none', (wandb) => {
    expect(() => createWandbExporter(wandb as never)).toThrow('expected the module of Weights & Biases')
  })
})
