import {
  existsSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { beforeEach, describe, expect, it } from 'vitest'
import { withLock, withLockSync } from '../../src/files/file-lock.ts'
import { readTable } from '../fixtures/csv/table.ts'
import { runProgram, startProgram, stateFolder } from '../fixtures/programs/child.ts'
import { temporaryFolder } from '../fixtures/programs/temporary-folder.ts'

let folder: string
let file: string
let lock: string

beforeEach(() => {
  folder = temporaryFolder()
  file = join(folder, 'emissions.csv')
  lock = `${file}.lock`
})

/** Start time of a process as the kernel tells it; another process of the same number has another one. */
function startTime(pid: number): string {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? ''
}

/** Makes the lock look as if it had been there for a time. */
function age(path: string, seconds: number): void {
  const then = Date.now() / 1000 - seconds
  utimesSync(path, then, then)
}

const ownerOf = (changes: object = {}): string =>
  JSON.stringify({
    host: hostname(),
    pids: readlinkSync('/proc/self/ns/pid'),
    pid: process.pid,
    started: startTime(process.pid),
    ...changes,
  })

const lockedBy = (text: string): void => {
  writeFileSync(lock, text)
}

describe('a lock', () => {
  it('is there while the action runs, names its owner, and is gone afterwards', async () => {
    const owner = await withLock(file, () => JSON.parse(readFileSync(lock, 'utf8')) as object)
    expect(owner).toMatchObject({ pid: process.pid, host: hostname() })
    expect(readdirSync(folder)).toEqual([])
    expect(withLockSync(file, () => existsSync(lock))).toBe(true)
    expect(readdirSync(folder)).toEqual([])
  })

  it('is gone after an action that threw, and the error passes', async () => {
    const fail = (): never => {
      throw new Error('no')
    }
    await expect(withLock(file, fail)).rejects.toThrow('no')
    expect(() => withLockSync(file, fail)).toThrow('no')
    expect(readdirSync(folder)).toEqual([])
  })

  it('gives back its own alone: one that somebody took over in the meantime stays', () => {
    withLockSync(file, () => {
      lockedBy(ownerOf({ pid: 1 }))
    })
    expect(readFileSync(lock, 'utf8')).toBe(ownerOf({ pid: 1 }))
  })

  it('lets one at a time do its work, of many that ask at once', async () => {
    const order: string[] = []
    const work = (name: string) => (): void => {
      order.push(`${name} begins`, `${name} ends`)
    }
    await Promise.all(Array.from({ length: 20 }, (_, index) => withLock(file, work(String(index)))))
    expect(order).toHaveLength(40)
    for (let at = 0; at < 40; at += 2) expect(order[at]?.split(' ')[0]).toBe(order[at + 1]?.split(' ')[0])
  })

  it('is an error of the file system where it cannot be made', async () => {
    await expect(withLock(join(folder, 'missing/emissions.csv'), () => 1)).rejects.toThrow('ENOENT')
  })
})

describe('a lock that is held', () => {
  it('is waited for while its owner lives', async () => {
    const holder = startProgram('hold-lock.js', [file], { folder })
    await holder.printed('held')
    let isDone = false
    const done = withLock(file, () => {
      isDone = true
    })
    for (let turn = 0; turn < 100; turn += 1) await nextTurn()
    expect(isDone).toBe(false)
    holder.process.stdin.write('let go\n')
    await done
    expect(isDone).toBe(true)
    expect((await holder.ended).code).toBe(0)
  })

  it('is waited for without the event loop too', async () => {
    const holder = startProgram('hold-lock.js', [file], { folder })
    await holder.printed('held')
    holder.process.stdin.write('let go\n')
    expect(withLockSync(file, () => 'done')).toBe('done')
  })

  it('is given up by a process that ends after two seconds, with a sentence that names it', () => {
    lockedBy(ownerOf())
    const before = performance.now()
    expect(() => withLockSync(file, () => 1)).toThrow(
      expect.objectContaining({
        code: 'ERR_EXPORT_FAILED',
        message: expect.stringContaining(lock) as string,
      }),
    )
    expect(performance.now() - before).toBeLessThan(4000)
    expect(readFileSync(lock, 'utf8')).toBe(ownerOf())
  })

  it('is given up by a run that ends in time to save its row elsewhere', async () => {
    const holder = startProgram('hold-lock.js', [file], { folder })
    await holder.printed('held')
    const env = { CODECARBON_OUTPUT_DIR: folder, CODECARBON_LOG_LEVEL: 'warning' }
    const { code, stderr } = await runProgram('endings.js', ['exit after stop'], { folder, env })
    expect(code).toBe(7)
    const saved = join(stateFolder(folder), 'emissions.csv')
    expect(readTable(saved)).toHaveLength(1)
    expect(stderr).toContain(saved)
  })
})

describe('a lock that was left behind', () => {
  /** Fails by a deadline of two seconds where the lock is not taken over. */
  const expectTakenOver = async (): Promise<void> => {
    const text = readFileSync(lock, 'utf8')
    expect(withLockSync(file, () => 'written')).toBe('written')
    lockedBy(text)
    age(lock, 60)
    expect(await withLock(file, () => 'written')).toBe('written')
    expect(readdirSync(folder)).toEqual([])
  }

  it('is taken over at once where its owner is dead', async () => {
    const dead = startProgram('hold-lock.js', [file], { folder })
    await dead.printed('held')
    dead.process.kill('SIGKILL')
    await dead.ended
    expect(existsSync(lock)).toBe(true)
    expect(withLockSync(file, () => 'written')).toBe('written')
    expect(readdirSync(folder).filter((name) => name.startsWith('emissions'))).toEqual([])
  })

  it('is taken over at once where its number belongs to another process now', async () => {
    lockedBy(ownerOf({ started: '1' }))
    await expectTakenOver()
  })

  it.each([
    ['is empty', ''],
    ['holds anything', 'no JSON\0'],
    ['holds a number', '7'],
    ['holds null', 'null'],
    ['holds half of its text', '{"host":"a","pi'],
    ['names no process', '{"host":"here"}'],
  ])('is taken over after a time where it %s', async (_, text) => {
    lockedBy(text)
    age(lock, 60)
    await expectTakenOver()
  })

  it('is taken over after a time where another machine made it', async () => {
    lockedBy(ownerOf({ host: 'elsewhere' }))
    age(lock, 60)
    await expectTakenOver()
  })

  it('is taken over by whoever waits, where its owner was killed before it wrote its name', () => {
    lockedBy('')
    expect(withLockSync(file, () => 'written')).toBe('written')
  })

  it.each([
    ['another machine', { host: 'elsewhere' }],
    ['another container of the same name', { pids: 'pid:[1]' }],
  ])('is not taken over at once where %s made it', async (_, owner) => {
    lockedBy(ownerOf({ ...owner, pid: 2 ** 22 + 1 }))
    let isDone = false
    const done = withLock(file, () => {
      isDone = true
    })
    for (let turn = 0; turn < 100; turn += 1) await nextTurn()
    expect(isDone).toBe(false)
    rmSync(lock)
    await done
  })

  it('is taken over though a process was killed while it was breaking it', async () => {
    lockedBy(ownerOf({ started: '1' }))
    writeFileSync(`${lock}.break`, ownerOf({ started: '1' }))
    expect(withLockSync(file, () => 'written')).toBe('written')
    expect(await withLock(file, () => 'written')).toBe('written')
    expect(readdirSync(folder)).toEqual([])
  })
})

it('keeps rows whole of processes that all find the same lock left behind', async () => {
  writeFileSync(join(folder, 'emissions.csv.lock'), ownerOf({ started: '1' }))
  const env = { CODECARBON_OUTPUT_DIR: folder, CODECARBON_LOG_LEVEL: 'warning' }
  const ended = await Promise.all(
    ['a', 'b', 'c', 'd'].map((name) => runProgram('many-runs.js', ['3', name], { folder, env })),
  )
  expect(ended.map(({ code, stderr }) => [code, stderr])).toEqual(Array(4).fill([0, '']))
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
  expect(lines).toHaveLength(1 + 4 * 3 * 2)
})
