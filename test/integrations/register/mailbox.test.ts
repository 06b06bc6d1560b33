import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { openMailbox, type Mailbox } from '../../../src/integrations/register/mailbox.ts'
import { fileName, ownKey, threadKey } from '../../../src/integrations/register/mailbox-file.ts'
import { MailboxScopes } from '../../../src/integrations/register/mailbox-scopes.ts'
import { createOutbox } from '../../../src/integrations/register/outbox.ts'
import type { ScopeOptions, WorkScope } from '../../../src/scopes/work-scope.ts'
import { temporaryFolder } from '../../fixtures/programs/temporary-folder.ts'

let folder: string

beforeEach(() => {
  folder = join(temporaryFolder(), 'mailbox')
  mkdirSync(folder, { mode: 0o700 })
})

interface Told {
  readonly name: string
  readonly parent: string | undefined
  readonly labels: Record<string, string>
  units: number
  readonly calls: unknown[]
  cpu: number
  outcome: string | undefined
  duration?: number | undefined
}

/** A mailbox, and what it was told, in the order in which it was begun. */
function open(): { mailbox: Mailbox; told: Told[] } {
  const told: Told[] = []
  const names = new Map<WorkScope, string>()
  const mailbox = openMailbox(folder, {
    beginScope({ name, labels, parent }: ScopeOptions) {
      const seen: Told = {
        name,
        parent: parent == null ? undefined : names.get(parent),
        labels: { ...labels },
        units: 0,
        calls: [],
        cpu: 0,
        outcome: undefined,
      }
      told.push(seen)
      const scope = {
        setLabel: (label: string, value: string) => {
          seen.labels[label] = value
        },
        countFunctionalUnits: (count: number) => {
          seen.units += count
        },
        countModelCall: (call: unknown) => {
          seen.calls.push(call)
        },
        addCpu: (time: number) => {
          seen.cpu += time
        },
        end: (outcome: string, duration?: number) => {
          seen.outcome = outcome
          seen.duration = duration
        },
        discard: () => {
          seen.outcome = 'discarded'
        },
      } as unknown as WorkScope
      names.set(scope, name)
      return scope
    },
  })
  onTestFinished(() => {
    mailbox.close()
  })
  return { mailbox, told }
}

const begun = (id: number, more: object = {}): string =>
  JSON.stringify({ id, kind: 'job', name: `job ${id}`, ...more })

const write = (text: string, number = 1, key: string = ownKey()): void => {
  appendFileSync(join(folder, fileName(key, number)), text)
}

describe('a mailbox', () => {
  it('takes a line when the whole of it is there', () => {
    const { mailbox, told } = open()
    const key = ownKey()
    const line = begun(1, { cpuMicroseconds: 2_500_000 })
    write(line.slice(0, 20), 1, key)
    mailbox.collect()
    expect(told).toEqual([])
    write(`${line.slice(20)}\n`, 1, key)
    mailbox.collect()
    mailbox.collect()
    expect(told).toMatchObject([{ name: 'job 1', cpu: 2.5, outcome: undefined }])
  })

  it('passes over lines that say nothing it knows', () => {
    const { mailbox, told } = open()
    const strange = [
      '',
      'null',
      '[]',
      '{"id":-1}',
      '{"id":"1"}',
      '{"id":7,"cpuMicroseconds":1}',
      '{"id":1',
      '{}',
    ]
    write([...strange, begun(1, { outcome: 'ok', cpuMicroseconds: -5, units: 'many' }), ''].join('\n'))
    appendFileSync(join(folder, 'something else'), 'x')
    mailbox.collect()
    expect(told).toMatchObject([{ name: 'job 1', cpu: 0, units: 0, outcome: 'ok' }])
  })

  it('hands on the calls of models that were made in a scope, and what of them it understands', () => {
    const { mailbox, told } = open()
    const key = ownKey()
    const call = { provider: 'acme', model: 'small-1', inputTokens: 12, outputTokens: 30 }
    write(`${begun(1, { modelCalls: [call, 7, { model: 'no provider' }] })}\n`, 1, key)
    write(`${JSON.stringify({ id: 1, modelCalls: [{ ...call, outputTokens: 'many' }] })}\n`, 1, key)
    write(`${JSON.stringify({ id: 1, modelCalls: 'none' })}\n`, 1, key)
    mailbox.collect()
    expect(told[0]?.calls).toEqual([call, { ...call, outputTokens: undefined }])
  })

  it('reads files one after another, and keeps only the last', () => {
    const { mailbox, told } = open()
    const key = ownKey()
    write(`${begun(1)}\n`, 1, key)
    write(`${begun(2)}\n`, 2, key)
    write(`${begun(10)}\n`, 10, key)
    mailbox.collect()
    expect(told.map(({ name }) => name)).toEqual(['job 1', 'job 2', 'job 10'])
    expect(readdirSync(folder)).toEqual([fileName(key, 10)])
  })

  it('ends what a process leaves behind that is gone', () => {
    const { mailbox, told } = open()
    write(`${begun(1)}\n${begun(2, { parent: 1 })}\n`, 1, `${2 ** 22 + 1}-1-0-x`)
    mailbox.collect()
    expect(told).toMatchObject([
      { name: 'job 1', outcome: 'lost' },
      { name: 'job 2', parent: 'job 1', outcome: 'lost' },
    ])
    expect(readdirSync(folder)).toEqual([])
  })

  it('ends what a thread leaves behind that is gone, as another process says', () => {
    const { mailbox, told } = open()
    write(`${begun(1)}\n`, 1, `${threadKey(7)}-x`)
    mailbox.collect()
    expect(told).toMatchObject([{ outcome: undefined }])
    write(`${JSON.stringify({ endedThread: threadKey(7) })}\n`)
    mailbox.collect()
    mailbox.collect()
    expect(told).toMatchObject([{ outcome: 'lost' }])
  })

  it('tells of what is lost that it lasted until the loss is noticed, however late it was heard of', () => {
    const { mailbox, told } = open()
    const now = Number(process.hrtime.bigint()) / 1e9
    const lines = [begun(1, { begunAt: now - 3 }), begun(2, { begunAt: now + 1000 }), begun(3)]
    write(`${lines.join('\n')}\n`, 1, `${2 ** 22 + 1}-1-0-x`)
    mailbox.collect()
    const after = Number(process.hrtime.bigint()) / 1e9
    expect(told.map(({ outcome }) => outcome)).toEqual(['lost', 'lost', 'lost'])
    expect(told[0]?.duration).toBeGreaterThanOrEqual(3)
    expect(told[0]?.duration).toBeLessThanOrEqual(3 + after - now)
    // Of another clock, or not told: the time since it was heard of.
    expect(told.slice(1).map(({ duration }) => duration)).toEqual([undefined, undefined])
  })

  it('tells the same of what goes on in a child when it is closed', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => {
      vi.useRealTimers()
    })
    const { mailbox, told } = open()
    new MailboxScopes({ folder, isRead: () => true }).beginScope({ name: 'still running' })
    const begunMs = performance.now()
    vi.advanceTimersByTime(1000)
    const leastSeconds = (performance.now() - begunMs) / 1000
    mailbox.close()
    expect(told).toMatchObject([{ name: 'still running', outcome: 'lost' }])
    expect(told[0]?.duration).toBeGreaterThanOrEqual(leastSeconds)
  })

  it('is gone when it is closed, and what went on is lost', () => {
    const { mailbox, told } = open()
    write(`${begun(1)}\n`)
    mailbox.close()
    expect(told).toMatchObject([{ name: 'job 1', outcome: 'lost' }])
    expect(existsSync(folder)).toBe(false)
  })

  it('comes again where something else has removed it', () => {
    const { mailbox, told } = open()
    write(`${begun(1)}\n`)
    mailbox.collect()
    rmSync(folder, { recursive: true })
    mailbox.collect()
    write(`${begun(2)}\n`)
    mailbox.collect()
    expect(told).toMatchObject([
      { name: 'job 1', outcome: 'lost' },
      { name: 'job 2', outcome: undefined },
    ])
  })

  it('is not read, and not emptied, where a link or a folder that others may enter has its place', () => {
    const { mailbox, told } = open()
    const elsewhere = join(temporaryFolder(), 'elsewhere')
    mkdirSync(elsewhere, { mode: 0o700 })
    const file = join(elsewhere, fileName(ownKey(), 1))
    appendFileSync(file, `${begun(1)}\n`)
    rmSync(folder, { recursive: true })
    symlinkSync(elsewhere, folder)
    mailbox.collect()
    rmSync(folder)
    mkdirSync(folder)
    chmodSync(folder, 0o755)
    write(`${begun(2)}\n`)
    mailbox.collect()
    rmSync(folder, { recursive: true })
    symlinkSync(elsewhere, folder)
    mailbox.close()
    expect([told, existsSync(file)]).toEqual([[], true])
  })
})

describe('what a child tells', () => {
  it('is read as it was, whatever is begun and ended between two tellings', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => {
      vi.useRealTimers()
    })
    const { mailbox, told } = open()
    const scopes = new MailboxScopes({ folder, isRead: () => true })
    const outer = scopes.beginScope({ name: 'outer', labels: { queue: 'mail' } })
    const inner = scopes.beginScope({ name: 'inner', parent: outer })
    inner.countFunctionalUnits(2)
    inner.end('error')
    inner.end('ok')
    inner.countFunctionalUnits(2)
    outer.setLabel('tenant', 'a')
    outer.rename('renamed')
    outer.end()
    const still = scopes.beginScope({ name: 'still running', parent: null })
    vi.advanceTimersByTime(1000)
    mailbox.collect()
    expect(told).toMatchObject([
      { name: 'renamed', labels: { queue: 'mail', tenant: 'a' }, outcome: 'ok' },
      { name: 'inner', parent: 'renamed', units: 2, outcome: 'error' },
      { name: 'still running', parent: undefined, outcome: undefined },
    ])
    still.addCpu(0.25 as never)
    still.end('aborted')
    vi.advanceTimersByTime(1000)
    mailbox.collect()
    expect(told[2]).toMatchObject({ outcome: 'aborted' })
    expect(told[2]?.cpu).toBeGreaterThanOrEqual(0.25)
  })

  it('is part of what still runs around it, where a callback has outlived the scope that it was made in', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => {
      vi.useRealTimers()
    })
    const { mailbox, told } = open()
    const scopes = new MailboxScopes({ folder, isRead: () => true })
    const outer = scopes.beginScope({ name: 'outer', parent: null })
    const middle = scopes.beginScope({ name: 'middle', parent: outer })
    const inner = scopes.beginScope({ name: 'inner', parent: middle })
    middle.end()
    vi.advanceTimersByTime(1000)
    inner.end()
    inner.run(() => scopes.beginScope({ name: 'late' })).end()
    outer.end()
    scopes.beginScope({ name: 'too late', parent: inner }).end()
    vi.advanceTimersByTime(1000)
    mailbox.collect()
    expect(told).toMatchObject([
      { name: 'outer', parent: undefined, outcome: 'ok' },
      { name: 'middle', parent: 'outer', outcome: 'ok' },
      { name: 'inner', parent: 'middle', outcome: 'ok' },
      { name: 'late', parent: 'outer', outcome: 'ok' },
      { name: 'too late', parent: undefined, outcome: 'ok' },
    ])
  })

  it('is nothing of what is discarded, but the CPU time that goes to what is around it', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => {
      vi.useRealTimers()
    })
    const { mailbox, told } = open()
    const scopes = new MailboxScopes({ folder, isRead: () => true })
    const outer = scopes.beginScope({ name: 'outer' })
    const gone = scopes.beginScope({ name: 'gone', parent: outer })
    scopes.beginScope({ name: 'inner', parent: gone }).end()
    gone.addCpu(0.25 as never)
    gone.discard()
    gone.end()
    outer.end()
    vi.advanceTimersByTime(1000)
    mailbox.collect()
    expect(told).toMatchObject([{ outcome: 'ok' }, { outcome: 'discarded' }, { outcome: 'ok' }])
    expect(told[1]?.cpu).toBeGreaterThanOrEqual(0.25)
  })

  it('is text, whatever a program without types gives', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => {
      vi.useRealTimers()
    })
    const { mailbox, told } = open()
    const scopes = new MailboxScopes({ folder, isRead: () => true })
    const number = 10n as unknown as string
    const nothing = undefined as unknown as string
    const scope = scopes.beginScope({ name: number, labels: { queue: number, none: nothing } })
    scope.setLabel('tenant', number)
    scope.setLabel('nobody', nothing)
    scope.setLabel('strange', Object.create(null) as string)
    scope.end(number)
    scopes.beginScope({ name: 'odd' }).end('ok', 1n as never)
    const last = scopes.beginScope({ name: 'last' })
    last.rename(11n as unknown as string)
    last.end()
    vi.advanceTimersByTime(1000)
    mailbox.collect()
    expect(told).toMatchObject([
      { name: '10', labels: { queue: '10', tenant: '10', strange: 'unknown' }, outcome: '10' },
      { name: '11', labels: {}, outcome: 'ok' },
    ])
    expect(Object.keys(told[0]?.labels ?? {})).toEqual(['queue', 'tenant', 'strange'])
  })

  it('waits in files of bounded size and number until somebody reads', () => {
    const outbox = createOutbox({ folder, isRead: () => true })
    const text = 'x'.repeat(60_000)
    let tellings = 0
    while (outbox.tell({ id: 1, name: text })) tellings += 1
    const sizes = readdirSync(folder).map((name) => readFileSync(join(folder, name)).length)
    expect(sizes).toHaveLength(16)
    expect(Math.max(...sizes)).toBeLessThan(330_000)
    expect(outbox.isOpen).toBe(true)
    expect(tellings).toBeGreaterThan(60)
    openMailbox(folder, { beginScope: () => ({}) as WorkScope }).collect()
    expect(outbox.tell({ id: 1, name: text })).toBe(true)
  })

  it('is told to no link, and to no folder that others may enter', () => {
    const elsewhere = join(temporaryFolder(), 'elsewhere')
    mkdirSync(elsewhere, { mode: 0o700 })
    rmSync(folder, { recursive: true })
    symlinkSync(elsewhere, folder)
    const outbox = createOutbox({ folder, isRead: () => true })
    expect([outbox.tell({ id: 1 }), readdirSync(elsewhere)]).toEqual([false, []])
    rmSync(folder)
    mkdirSync(folder)
    chmodSync(folder, 0o755)
    expect([outbox.tell({ id: 1 }), readdirSync(folder)]).toEqual([false, []])
    chmodSync(folder, 0o700)
    expect(outbox.tell({ id: 1 })).toBe(true)
  })

  it('is told to nobody where nobody is there any more', () => {
    const outbox = createOutbox({ folder: join(folder, 'gone'), isRead: () => false })
    expect(outbox.tell({ id: 1 })).toBe(true)
    expect(outbox.isOpen).toBe(false)
  })
})
