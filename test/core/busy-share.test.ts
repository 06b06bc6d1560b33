import { expect, test } from 'vitest'
import { BusyShare } from '../../src/core/busy-share.ts'
import { seconds } from '../../src/core/units.ts'

/** The shares at the end of each step of so much CPU time, of the tree and of the machine. */
function shares(...steps: readonly (readonly [tree: number, machine: number | undefined])[]) {
  const busy = new BusyShare()
  let [tree, machine] = [7, 1000]
  busy.since(seconds(tree), seconds(machine))
  return steps.map(([own, all]) => {
    tree += own
    machine += all ?? 0
    return busy.since(seconds(tree), all === undefined ? undefined : seconds(machine))
  })
}

test('a tree has the share of the busy time that was its own', () => {
  expect(shares([1, 4], [3, 4], [0, 8])).toEqual([0.25, 0.75, 0])
})

test('a tree has no more than all of it, though clocks may differ', () => {
  expect(shares([5, 4])).toEqual([1])
})

test('it is unknown at first, of a machine that was not busy, and where nobody tells', () => {
  expect(new BusyShare().since(seconds(1), seconds(1))).toBeUndefined()
  expect(shares([0, 0], [1, undefined])).toEqual([undefined, undefined])
})

test('what was used while nobody told counts when somebody tells again', () => {
  const busy = new BusyShare()
  busy.since(seconds(0), seconds(0))
  expect(busy.since(seconds(2), undefined)).toBeUndefined()
  expect(busy.since(seconds(3), seconds(4))).toBe(0.75)
})

test('a few steps of the system’s clock are widened into the past, where they would say 0 or 100 %', () => {
  const [, once, twice] = shares([1, 2], [0.01, 0.01], [0, 0.01])
  expect(once).toBeCloseTo(1.01 / 2.01, 9)
  expect(twice).toBeCloseTo(1.01 / 2.02, 9)
})

test('the share of many short times is that of the long one', () => {
  const steps = Array.from({ length: 1000 }, (_, index) => [index % 4 === 0 ? 0.01 : 0, 0.01] as const)
  const last = shares(...steps).slice(20)
  expect(last.reduce<number>((sum, share) => sum + (share ?? 0), 0) / last.length).toBeCloseTo(0.25, 2)
})
