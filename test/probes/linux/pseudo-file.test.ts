import { describe, expect, onTestFinished, test } from 'vitest'
import {
  errnoOf,
  isGone,
  isPermission,
  openPseudoFile,
  type PseudoFile,
} from '../../../src/probes/linux/pseudo-file.ts'
import { fakeSysfs, type FakeTree } from '../../fixtures/fake-sysfs.ts'

function open(text: string): { tree: FakeTree; file: PseudoFile } {
  const tree = fakeSysfs({ counter: text })
  const file = openPseudoFile(`${tree.path}/counter`)
  onTestFinished(() => {
    file.close()
  })
  return { tree, file }
}

describe('a small file that is kept open', () => {
  test('shows what is in it now, at every read', () => {
    const { tree, file } = open('1000\n')
    expect(file.integer()).toBe(1000)
    tree.write('counter', '65532610987\n')
    expect(file.integer()).toBe(65_532_610_987)
    tree.write('counter', '7')
    expect(file.integer()).toBe(7)
    expect(file.text()).toBe('7')
  })

  test('holds the largest number that is exact', () => {
    expect(open(`${Number.MAX_SAFE_INTEGER}\n`).file.integer()).toBe(Number.MAX_SAFE_INTEGER)
  })

  test.each(['0', '0\n', '0 \r\n', '0\0'])('holds zero in %j', (text) => {
    expect(open(text).file.integer()).toBe(0)
  })

  test.each(['', '\n', ' 5', '+5', '-5', '5x', '5 6', 'abc', '1e6', '1.5', '0x10'])(
    'holds no number in %j',
    (text) => {
      expect(open(text).file.integer()).toBeUndefined()
    },
  )

  test('does not mix up two files that are read in turns', () => {
    const one = open('123456789\n').file
    const other = open('5\n').file
    expect([one.integer(), other.integer(), one.text(), other.text()]).toEqual([
      123456789,
      5,
      '123456789\n',
      '5\n',
    ])
  })

  test('throws after it is closed, and can be closed twice', () => {
    const { file } = open('5\n')
    file.close()
    file.close()
    expect(() => file.integer()).toThrow(/was closed/)
  })

  test('that is not there throws the error of the system', () => {
    const { path } = fakeSysfs()
    expect(() => openPseudoFile(`${path}/none`)).toThrow(/ENOENT/)
  })
})

test('errors of the system are told apart by their codes', () => {
  const failed = (code: string): Error => Object.assign(new Error(code), { code })
  expect(errnoOf(failed('EACCES'))).toBe('EACCES')
  expect(errnoOf(new Error('no code'))).toBeUndefined()
  expect(errnoOf('EACCES')).toBeUndefined()
  expect(['EACCES', 'EPERM', 'ENOENT'].map((code) => isPermission(failed(code)))).toEqual([true, true, false])
  expect(['ENOENT', 'ENODEV', 'EACCES', 'EIO'].map((code) => isGone(failed(code)))).toEqual([
    true,
    true,
    false,
    false,
  ])
})
