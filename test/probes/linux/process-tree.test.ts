import { spawnSync } from 'node:child_process'
import { symlinkSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { TreeSource } from '../../../src/core/load.ts'
import { createProcessTree, parseProcessStat } from '../../../src/probes/linux/process-tree.ts'
import { fakeProcfs, statOf, type FakeProcfs } from '../../fixtures/fake-procfs.ts'
import { fakeSysfs } from '../../fixtures/fake-sysfs.ts'

const root = 100

/** Seconds of CPU that the tree has used; fails where the system would not say. */
function cpu(tree: TreeSource): number {
  const use = tree.read()
  if (use === undefined) throw new Error('nothing was told of the tree')
  return use.cpu
}

describe.each([
  ['the kernel lists children', true],
  ['parents have to be looked up', false],
])('a process tree where %s', (_, listsChildren) => {
  function tracked(options: Parameters<typeof createProcessTree>[0] = {}): {
    proc: FakeProcfs
    tree: TreeSource
  } {
    const proc = fakeProcfs({ listsChildren })
    proc.process({ pid: 1, parent: 0, user: 9999 })
    proc.process({ pid: root, parent: 1, user: 500, system: 100, pages: 10 })
    proc.process({ pid: 7, parent: 1, user: 4000 })
    return { proc, tree: createProcessTree({ pid: root, procfsPath: proc.path, ...options }) }
  }

  test('starts at zero and counts user and system time of the root', () => {
    const { proc, tree } = tracked()
    expect(tree.read()).toMatchObject({ cpu: 0, residentBytes: 10 * 4096 })
    proc.process({ pid: root, user: 520, system: 105 })
    expect(cpu(tree)).toBe(0.25)
  })

  test('counts children and grandchildren, and no strangers', () => {
    const { proc, tree } = tracked()
    tree.read()
    proc.process({ pid: 101, parent: root, user: 30, pages: 5 })
    proc.process({ pid: 102, parent: 101, system: 20, pages: 2 })
    proc.process({ pid: 7, user: 6000 })
    expect(tree.read()).toMatchObject({ cpu: 0.5, residentBytes: (10 + 5 + 2) * 4096 })
  })

  test('memory goes by the size of a page', () => {
    const { tree } = tracked({ pageBytes: 65_536 })
    expect(tree.read()?.residentBytes).toBe(10 * 65_536)
  })

  test('leaves the work of the root out where told to', () => {
    const { proc, tree } = tracked({ includeRoot: false })
    tree.read()
    proc.process({ pid: root, user: 900 })
    proc.process({ pid: 101, parent: root, user: 30, pages: 5 })
    expect(tree.read()).toMatchObject({ cpu: 0.3, residentBytes: 5 * 4096 })
  })

  test('children that lived and died between two reads count, once their parent waited for them', () => {
    const { proc, tree } = tracked()
    tree.read()
    proc.process({ pid: root, childUser: 40, childSystem: 10 })
    expect(cpu(tree)).toBe(0.5)
  })

  test('a child that was seen and then waited for counts once', () => {
    const { proc, tree } = tracked()
    tree.read()
    proc.process({ pid: 101, parent: root, user: 30 })
    expect(cpu(tree)).toBe(0.3)
    proc.end(101)
    proc.process({ pid: root, childUser: 45 })
    expect(cpu(tree)).toBe(0.45)
    expect(cpu(tree)).toBe(0.45)
  })

  test('a child that nobody waited for is remembered', () => {
    const { proc, tree } = tracked()
    tree.read()
    proc.process({ pid: 101, parent: root, user: 30 })
    tree.read()
    proc.end(101)
    expect(cpu(tree)).toBe(0.3)
    proc.process({ pid: root, user: 510 })
    expect(cpu(tree)).toBe(0.4)
  })

  test('an orphan whose parent died stays in the tree, with the children it then has', () => {
    const { proc, tree } = tracked()
    tree.read()
    proc.process({ pid: 101, parent: root, user: 10 })
    proc.process({ pid: 102, parent: 101, user: 20 })
    expect(cpu(tree)).toBe(0.3)
    proc.end(101)
    proc.process({ pid: root, childUser: 10 })
    proc.process({ pid: 102, user: 50 })
    proc.process({ pid: 103, parent: 102, user: 15 })
    expect(cpu(tree)).toBeCloseTo(0.1 + 0.5 + 0.15, 9)
    proc.end(103)
    proc.end(102)
    expect(cpu(tree)).toBeCloseTo(0.75, 9)
  })

  test('a parent and its child that end between two reads count once', () => {
    const { proc, tree } = tracked()
    tree.read()
    proc.process({ pid: 101, parent: root, user: 10 })
    proc.process({ pid: 102, parent: 101, user: 20 })
    expect(cpu(tree)).toBe(0.3)
    proc.end(102)
    proc.end(101)
    // The parent waited for its child, and the root for the parent.
    proc.process({ pid: root, childUser: 34 })
    expect(cpu(tree)).toBeCloseTo(0.34, 9)
  })

  test('a stranger that was given the number of an ended child is not counted', () => {
    const { proc, tree } = tracked()
    tree.read()
    proc.process({ pid: 101, parent: root, user: 30, startTime: 50 })
    expect(cpu(tree)).toBe(0.3)
    proc.end(101)
    proc.process({ pid: 101, parent: 7, user: 5000, startTime: 90 })
    expect(cpu(tree)).toBe(0.3)
    proc.process({ pid: 101, user: 9000 })
    expect(cpu(tree)).toBe(0.3)
  })

  test('where the root is gone nothing is told, even if its number was given away', () => {
    const { proc, tree } = tracked()
    tree.read()
    proc.end(root)
    expect(tree.read()).toBeUndefined()
    proc.process({ pid: root, parent: 7, user: 1, startTime: 99 })
    expect(tree.read()).toBeUndefined()
  })

  test('a process that cannot be read for once takes nothing away', () => {
    const { proc, tree } = tracked()
    tree.read()
    proc.process({ pid: 101, parent: root, user: 30 })
    expect(cpu(tree)).toBe(0.3)
    proc.write('101/stat', '')
    expect(cpu(tree)).toBeGreaterThanOrEqual(0.3)
    proc.process({ pid: 101, user: 40 })
    const after = cpu(tree)
    expect(after).toBeGreaterThanOrEqual(0.4)
  })

  test('names with brackets, spaces and line breaks do not confuse it', () => {
    const { proc, tree } = tracked()
    tree.read()
    proc.process({ pid: 101, parent: root, user: 30, name: 'a) S 1 1 (b\n c' })
    expect(cpu(tree)).toBe(0.3)
  })
})

test('a procfs that is not there tells nothing, and throws nothing', () => {
  const proc = fakeSysfs()
  proc.remove('.')
  expect(createProcessTree({ pid: root, procfsPath: proc.path }).read()).toBeUndefined()
})

describe('a line of process statistics', () => {
  const known = {
    pid: 42,
    parent: 3,
    user: 5,
    system: 6,
    childUser: 7,
    childSystem: 8,
    startTime: 99,
    pages: 1234,
  }

  test.each(['node', 'tmux: server', '(sd-pam)', ') R 1', 'a\nb', '', 'kworker/0:1H'])(
    'is parsed with the name %j',
    (name) => {
      expect(parseProcessStat(statOf({ ...known, name }))).toEqual({
        pid: 42,
        parent: 3,
        own: 5 + 6,
        waitedFor: 7 + 8,
        startTime: 99,
        residentPages: 1234,
      })
    },
  )

  test.each(['', '42', '42 (node)', '42 (node) S 1 2', 'x (node) S 1', '42 node S 1 2 3'])(
    '%j is none',
    (text) => {
      expect(parseProcessStat(text)).toBeUndefined()
    },
  )
})

describe.runIf(process.platform === 'linux')('a tree of real processes', () => {
  const spinSeconds = 0.3
  const spin = `while (process.cpuUsage().user < ${spinSeconds * 1e6});`
  const child = `require('child_process').spawnSync(process.execPath, ['-e', ${JSON.stringify(spin)}])`

  /** A procfs that shows this process alone, and lists no children. */
  function ownStatOnly(): string {
    const { path } = fakeSysfs()
    mkdirSync(join(path, String(process.pid)))
    symlinkSync(`/proc/${process.pid}/stat`, join(path, String(process.pid), 'stat'))
    return path
  }

  test.each([
    ['the procfs of this machine', () => '/proc'],
    ['parents looked up', ownStatOnly],
  ])('counts what a grandchild did that lived and died between two reads, by %s', (_, procfs) => {
    const tree = createProcessTree({ includeRoot: false, procfsPath: procfs() })
    expect(cpu(tree)).toBe(0)
    expect(spawnSync(process.execPath, ['-e', child]).status).toBe(0)
    const used = cpu(tree)
    expect(used).toBeGreaterThanOrEqual(spinSeconds - 0.02)
    expect(used).toBeLessThan(20 * spinSeconds)
    expect(cpu(tree)).toBe(used)
  })

  test('counts this process itself', () => {
    const tree = createProcessTree()
    const before = process.cpuUsage()
    expect(tree.read()?.residentBytes).toBeGreaterThan(1_000_000)
    while (process.cpuUsage(before).user + process.cpuUsage(before).system < 0.2 * 1e6);
    expect(cpu(tree)).toBeGreaterThanOrEqual(0.2 - 0.03)
  })
})
