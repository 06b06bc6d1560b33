import * as nodeCron from 'node-cron'
import { describe, expect, it, onTestFinished } from 'vitest'
import { withCarbon } from '../../../src/index.ts'
import { nodeCronHook } from '../../../src/integrations/node-cron/hook.ts'
import { setProcessScopes } from '../../../src/scopes/process-scopes.ts'
import { recordingScopes, type RecordingScopes } from '../../fixtures/recording-scopes.ts'

const daily = '0 3 * * *'

function installed(): { cron: typeof nodeCron; tracker: RecordingScopes } {
  const tracker = recordingScopes()
  setProcessScopes(tracker)
  const before = { ...nodeCron.default }
  onTestFinished(() => {
    setProcessScopes(undefined)
    Object.assign(nodeCron.default, before)
  })
  const cron = nodeCronHook.install(nodeCron, { name: 'node-cron', version: '4.6.0' }) as typeof nodeCron
  return { cron, tracker }
}

describe('the hook of node-cron', () => {
  it('measures a task by its name, that of the function, or its expression', async () => {
    const { cron, tracker } = installed()
    const tasks = [
      cron.createTask(daily, () => 'one', { name: 'nightly report' }),
      cron.schedule(daily, async function cleanUp() {
        return 'two'
      }),
      cron.default.createTask(daily, () => 'three'),
    ]
    expect(await Promise.all(tasks.map((task) => task.execute()))).toEqual(['one', 'two', 'three'])
    for (const task of tasks) await task.destroy()
    expect(tracker.scopes.map(({ name, outcomes }) => [name, ...outcomes])).toEqual([
      ['nightly report', 'ok'],
      ['cleanUp', 'ok'],
      [daily, 'ok'],
    ])
  })

  it('leaves errors to node-cron, and files and wrong calls as they are', async () => {
    const { cron, tracker } = installed()
    const failing = cron.createTask(daily, () => Promise.reject(new Error('no disk')), { name: 'backup' })
    await expect(failing.execute()).rejects.toThrow('no disk')
    await failing.destroy()
    expect(tracker.scopes).toMatchObject([{ name: 'backup', outcomes: ['error'] }])
    expect(() => cron.schedule('every day', () => 1)).toThrow('expected 5 or 6 fields')
    expect(cron.validate(daily)).toBe(true)
  })

  it('measures once what a module exports as its default alone, and CommonJS as it is', async () => {
    const { default: whole } = nodeCron
    const tracker = recordingScopes()
    setProcessScopes(tracker)
    const exported = { schedule: whole.schedule, createTask: whole.createTask }
    onTestFinished(() => {
      setProcessScopes(undefined)
    })
    const about = { name: 'node-cron', version: '4.0.0' }
    const module = nodeCronHook.install({ default: exported }, about) as { default: typeof exported }
    const common = nodeCronHook.install(exported, about) as typeof exported
    const tasks = [
      module.default.createTask(daily, () => 1, { name: 'of the module' }),
      common.createTask(daily, () => 2, { name: 'of CommonJS' }),
    ]
    expect(await Promise.all(tasks.map((task) => task.execute()))).toEqual([1, 2])
    for (const task of tasks) await task.destroy()
    expect(tracker.scopes.map(({ name }) => name)).toEqual(['of the module', 'of CommonJS'])
  })

  it('says what it misses in a package that is no node-cron', () => {
    const install = () => nodeCronHook.install({}, { name: 'node-cron', version: '1.0.0' })
    expect(install).toThrow('expected functions schedule and createTask in node-cron')
  })
})

describe('withCarbon', () => {
  it('measures what node-cron runs without a hook', async () => {
    const tracker = recordingScopes()
    const report = withCarbon('nightly report', ({ triggeredAt }: nodeCron.TaskContext) => triggeredAt, {
      tracker,
    })
    const task = nodeCron.createTask(daily, report)
    expect(await task.execute()).toBeInstanceOf(Date)
    await task.destroy()
    expect(tracker.scopes).toMatchObject([{ name: 'nightly report', kind: 'job', outcomes: ['ok'] }])
  })
})
