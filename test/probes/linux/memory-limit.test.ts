import { expect, test } from 'vitest'
import { readMemoryLimit } from '../../../src/probes/linux/memory-limit.ts'
import { fakeSysfs, type Tree } from '../../fixtures/fake-sysfs.ts'

const limit = (files: Tree): number | undefined => readMemoryLimit(fakeSysfs(files).path)

test('the limit of a container is that of its control group, of either version', () => {
  expect(limit({ 'fs/cgroup/memory.max': '4294967296\n' })).toBe(4 * 2 ** 30)
  expect(limit({ 'fs/cgroup/memory/memory.limit_in_bytes': '1073741824\n' })).toBe(2 ** 30)
})

test.each([
  ['nothing', {}],
  ['max', { 'fs/cgroup/memory.max': 'max\n' }],
  ['the highest number', { 'fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n' }],
  ['something else', { 'fs/cgroup/memory.max': 'much\n' }],
  ['zero', { 'fs/cgroup/memory.max': '0\n' }],
] as const)('there is none where it says %s', (_, files) => {
  expect(limit(files)).toBeUndefined()
})
