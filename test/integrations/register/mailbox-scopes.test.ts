import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { openMailbox } from '../../../src/integrations/register/mailbox.ts'
import { MailboxScopes } from '../../../src/integrations/register/mailbox-scopes.ts'
import { heardWarnings } from '../../fixtures/heard-warnings.ts'
import { temporaryFolder } from '../../fixtures/programs/temporary-folder.ts'
import { recordingScopes, type RecordedScope } from '../../fixtures/recording-scopes.ts'

interface Child {
  readonly scopes: MailboxScopes
  /** Uses CPU time while the clock goes on as long. */
  use(ms: number): void
  /** What the parent is told by now. */
  told(): readonly RecordedScope[]
  /** Microseconds that are taken off the CPU time of the process, since the thread has told them. */
  takenOff(): number
}

/** A thread with a mailbox, whose clocks the test sets. */
function child(): Child {
  const parent = recordingScopes()
  const mailbox = openMailbox(folder, parent)
  onTestFinished(() => {
    mailbox.close()
  })
  let used = 5000
  let takenOff = 0
  const cpu = {
    read: () => used,
    told: (microseconds: number) => {
      takenOff += microseconds
    },
  }
  return {
    scopes: new MailboxScopes({ folder, isRead: () => true }, cpu),
    use(ms) {
      used += ms * 1000
      vi.advanceTimersByTime(ms)
    },
    told() {
      mailbox.collect()
      return parent.scopes
    },
    takenOff: () => takenOff,
  }
}

let folder: string

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  onTestFinished(() => {
    vi.useRealTimers()
  })
  folder = join(temporaryFolder(), 'mailbox')
  mkdirSync(folder, { mode: 0o700 })
})

describe('scopes of a child', () => {
  it('are told once what they have used, however often something is told', () => {
    const { scopes, use, told } = child()
    const scope = scopes.beginScope({ name: 'long' })
    use(1000)
    expect(told()).toMatchObject([{ name: 'long', cpuSeconds: 1, outcomes: [] }])
    use(1000)
    use(500)
    scope.end()
    use(1000)
    expect(told()).toMatchObject([{ name: 'long', cpuSeconds: 2.5, outcomes: ['ok'] }])
  })

  it('take what they have told off the CPU time of the process', () => {
    const { scopes, use, told, takenOff } = child()
    use(300)
    const scope = scopes.beginScope({ name: 'in a thread' })
    use(1200)
    scope.addCpu(0.25 as never)
    scope.end()
    use(1000)
    expect(told()).toMatchObject([{ cpuSeconds: 1.45, outcomes: ['ok'] }])
    expect(takenOff()).toBe(1_450_000)
  })

  it('add up the functional units between two tellings', () => {
    const { scopes, use, told } = child()
    const scope = scopes.beginScope({ name: 'images' })
    scope.countFunctionalUnits(2)
    scope.countFunctionalUnits(3)
    use(1000)
    scope.countFunctionalUnits()
    use(1000)
    expect(told()).toMatchObject([{ units: 6 }])
  })

  it('are told soon where none runs any more, since a pool ends its threads, and else after a second', () => {
    const { scopes, use, told } = child()
    const first = scopes.beginScope({ name: 'first' })
    const second = scopes.beginScope({ name: 'second' })
    use(150)
    first.end()
    expect(told()).toEqual([])
    second.end()
    expect(told()).toMatchObject([{ outcomes: ['ok'] }, { outcomes: ['ok'] }])
  })

  it('are ten thousand at a time at most, and the rest is said once not to be measured', () => {
    const warnings = heardWarnings()
    const { scopes, use, told } = child()
    const open = Array.from({ length: 10_002 }, () => scopes.beginScope({ name: 'job' }))
    use(1000)
    expect(told()).toHaveLength(10_000)
    expect(warnings).toEqual([
      'more than 10000 scopes run at a time, or wait for the process that measures: some are not measured',
    ])
    for (const scope of open) scope.end()
    scopes.beginScope({ name: 'while too much waits' }).end()
    use(1000)
    scopes.beginScope({ name: 'after them' }).end()
    use(1000)
    expect(told()).toHaveLength(10_001)
    expect(told().at(-1)).toMatchObject({ name: 'after them', outcomes: ['ok'] })
  })
})
