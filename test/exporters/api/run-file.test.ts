import { appendFileSync, readFileSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { RunFile } from '../../../src/exporters/api/run-file.ts'
import type { Slice } from '../../../src/exporters/api/slice.ts'
import { openSpool } from '../../../src/exporters/api/spool.ts'
import { temporaryFolder } from '../../fixtures/programs/temporary-folder.ts'
import { filesIn } from './rig.ts'

const head = { endpoint: 'http://api.test', run: { experiment_id: 'e' } }

const sliceOf = (n: number): Slice => ({
  n,
  wallMs: n * 15_000,
  sums: { seconds: n * 15, emissions: n * 0.1, cpu: n * 0.2, gpu: 0, ram: n * 0.03, energy: n * 0.23 },
  means: { cpuWatts: n, gpuWatts: 0, ramWatts: 3, cpuPercent: n % 100, gpuPercent: null, ramPercent: 5 },
  seconds: 15,
  wue: 0,
})

const toldUpTo = (n: number): object => ({ n, duration: n * 15 - 1, sums: sliceOf(n).sums })

function begin(slices: number, folder = temporaryFolder()): { path: string; file: RunFile } {
  const path = join(folder, 'api', 'run.jsonl')
  const file = RunFile.begin(path, head)
  for (let n = 1; n <= slices; n += 1) file.add(sliceOf(n))
  return { path, file }
}

describe('the file of a run that waits', () => {
  it('is taken over with what the server has not', () => {
    const { path, file } = begin(4)
    file.noteServerId('id-1')
    file.noteTold(toldUpTo(2) as never)
    file.close(false)
    const next = RunFile.takeOver(path)
    expect(next).toMatchObject({ head, serverId: 'id-1', told: toldUpTo(2), count: 2, last: sliceOf(4) })
    expect(next?.waiting()).toEqual([sliceOf(3), sliceOf(4)])
    next?.close(true)
    expect(RunFile.takeOver(path)).toBeUndefined()
  })

  it('is for its user alone, and for one process at a time', () => {
    const { path, file } = begin(1)
    if (process.platform !== 'win32') expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(RunFile.takeOver(path)).toBeUndefined()
    file.close(false)
    const next = RunFile.takeOver(path)
    expect(next?.count).toBe(1)
    next?.close(false)
  })

  it('may be torn off anywhere: what was written before counts', () => {
    const { path, file } = begin(3)
    file.close(false)
    const text = readFileSync(path, 'utf8')
    const [headLine = '', ...lines] = text.trim().split('\n')
    for (let end = text.length - 1; end > headLine.length; end -= 37) {
      truncateSync(path, end)
      const whole = text.slice(0, end + 1).split('\n').length - 2
      const next = RunFile.takeOver(path)
      expect([0, 1]).toContain((next?.count ?? 0) - Math.max(0, whole))
      next?.close(false)
      // What takes it over ends the line, and goes on behind it.
      expect(readFileSync(path, 'utf8')).toMatch(/\n$/)
    }
    expect(lines).toHaveLength(3)
  })

  it('is nothing without its first line', () => {
    const { path, file } = begin(1)
    file.close(false)
    truncateSync(path, 10)
    expect(RunFile.takeOver(path)).toBeUndefined()
    expect(filesIn(join(path, '..'))).toEqual([])
  })

  it.each([
    ['another version', (text: string) => text.replace('"v":1', '"v":2')],
    ['a first line that is damaged', (text: string) => text.slice(5)],
  ])('stays as it is with %s', (_, change) => {
    const { path, file } = begin(2)
    file.close(false)
    const text = change(readFileSync(path, 'utf8'))
    writeFileSync(path, text)
    expect(() => RunFile.takeOver(path)).toThrow('of another version of codecarbon')
    expect(readFileSync(path, 'utf8')).toBe(text)
    expect(() => RunFile.takeOver(path), 'its lock is let go of').toThrow('of another version')
  })

  it('lives with lines that it does not know', () => {
    const { path, file } = begin(1)
    file.close(false)
    appendFileSync(path, '{"later":1}\nnull\n\n[]\n"x"\n')
    const next = RunFile.takeOver(path)
    expect(next?.count).toBe(1)
    next?.close(false)
  })

  it('has no more than so many slices: each two are joined, and the sums stay', () => {
    const { path, file } = begin(20_001)
    expect(file.count).toBe(10_001)
    const last = sliceOf(20_002)
    file.add(last)
    file.close(false)
    const next = RunFile.takeOver(path)
    expect(next?.count).toBe(10_002)
    expect(next?.waiting()[0]).toMatchObject({
      n: 2,
      seconds: 30,
      sums: sliceOf(2).sums,
      means: { cpuWatts: 1.5 },
    })
    expect(next?.last).toEqual(last)
    next?.close(false)
    expect(statSync(path).size).toBeLessThan(5_000_000)
  })

  it('takes a slice in the same time however many there are', () => {
    const { file } = begin(19_000)
    const timeOf = (slices: number, from: number): number => {
      const begun = performance.now()
      for (let n = from; n < from + slices; n += 1) file.add(sliceOf(n))
      return performance.now() - begun
    }
    const { file: empty } = begin(1)
    const begun = performance.now()
    for (let n = 2; n < 902; n += 1) empty.add(sliceOf(n))
    const short = performance.now() - begun
    expect(timeOf(900, 19_001)).toBeLessThan(short * 5 + 50)
    file.close(true)
    empty.close(true)
  })
})

describe('the spool', () => {
  it('gives up the oldest runs where there is too much, and what nobody delivered in 90 days, and says so', () => {
    const folder = join(temporaryFolder(), 'api')
    const messages: string[] = []
    const spool = openSpool({
      folder,
      nowMs: () => Date.now(),
      onGivenUp: (message) => messages.push(message),
      mostBytes: 5000,
    })
    const write = (name: string, slices: number): void => {
      const file = spool.begin(name, head)
      for (let n = 1; n <= slices; n += 1) file.add(sliceOf(n))
      file.close(false)
    }
    for (const name of ['1-a', '2-b', '3-c']) write(name, 7)
    expect(filesIn(folder)).toHaveLength(3)
    write('4-d', 1)
    expect(filesIn(folder)).toEqual(['2-b.jsonl', '3-c.jsonl', '4-d.jsonl'])
    const old = new Date(Date.now() - 91 * 86_400_000)
    utimesSync(join(folder, '3-c.jsonl'), old, old)
    write('5-e', 1)
    expect(filesIn(folder)).toEqual(['2-b.jsonl', '4-d.jsonl', '5-e.jsonl'])
    expect(messages).toHaveLength(2)
    expect(messages[0]).toMatch(
      /^1 run that waited in .* is given up: older than 90 days, or more than 0.005 MB together$/,
    )
  })

  it('knows which runs wait for an address, the oldest first', () => {
    const folder = join(temporaryFolder(), 'api')
    const spool = openSpool({ folder, nowMs: Date.now, onGivenUp: () => undefined })
    expect(spool.waitingFor('http://api.test')).toEqual([])
    for (const [name, endpoint] of [
      ['2-b', 'http://api.test'],
      ['3-c', 'http://other.test'],
      ['1-a', 'http://api.test'],
    ] as const) {
      const file = spool.begin(name, { ...head, endpoint })
      file.add(sliceOf(1))
      file.close(false)
    }
    expect(spool.waitingFor('http://api.test')).toEqual([
      join(folder, '1-a.jsonl'),
      join(folder, '2-b.jsonl'),
    ])
    expect(spool.otherEndpoints('http://api.test')).toEqual(['http://other.test'])
  })
})
