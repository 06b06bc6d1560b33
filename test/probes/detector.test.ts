import { describe, expect, test } from 'vitest'
import { EnergyError, ProbeUnavailable } from '../../src/core/errors.ts'
import type { Probe } from '../../src/core/probe.ts'
import { detect, type Candidate, type OpenedProbe } from '../../src/probes/detector.ts'

/** A candidate that opens a probe, and counts what is done with it. */
function working(
  name: string,
  covers: OpenedProbe['components'],
  more: Partial<OpenedProbe> = {},
): Candidate & { readonly probeItself: Probe; readonly done: { opened: number; closed: number } } {
  const done = { opened: 0, closed: 0 }
  const probeItself: Probe = {
    name,
    read: () => ({ readings: [], problems: [] }),
    close() {
      done.closed += 1
    },
  }
  return {
    probe: name,
    method: 'measured',
    probeItself,
    done,
    open() {
      done.opened += 1
      return { probe: probeItself, components: covers, basis: () => `what ${name} stands on`, ...more }
    },
  }
}

const failing = (name: string, error: unknown): Candidate => ({
  probe: name,
  method: 'measured',
  open() {
    throw error
  },
})

describe('candidates for a component', () => {
  test('are tried in order, and the first that works is taken', () => {
    const best = working('best', ['cpu'])
    const second = working('second', ['cpu'])
    const { probes, components } = detect([{ component: 'cpu', candidates: [best, second] }])
    expect(probes).toEqual([best.probeItself])
    expect(second.done.opened).toBe(0)
    expect(components).toMatchObject([
      { component: 'cpu', chosen: { probe: 'best', method: 'measured' }, refused: [] },
    ])
    expect(components[0]?.chosen?.basis()).toBe('what best stands on')
  })

  test('that are refused keep their reason and what would help, in order', () => {
    const { components } = detect([
      {
        component: 'cpu',
        candidates: [
          failing('first', new ProbeUnavailable('no permission', 'sudo chmod')),
          failing('second', new EnergyError('ERR_PROBE_READ', 'it broke')),
          failing('third', new TypeError('x is not a function')),
          failing('fourth', 'a text'),
          working('last', ['cpu']),
        ],
      },
    ])
    expect(components).toMatchObject([
      {
        chosen: { probe: 'last' },
        refused: [
          { probe: 'first', reason: 'no permission', remedy: 'sudo chmod' },
          { probe: 'second', reason: 'it broke' },
          { probe: 'third', reason: 'it failed unexpectedly: x is not a function' },
          { probe: 'fourth', reason: 'it failed unexpectedly: a text' },
        ],
      },
    ])
    expect(components[0]?.refused[1]).not.toHaveProperty('remedy')
  })

  test('that all fail leave the component without a probe', () => {
    const { probes, components } = detect([
      { component: 'ram', candidates: [failing('only', new ProbeUnavailable('no'))] },
      { component: 'gpu', candidates: [] },
    ])
    expect(probes).toEqual([])
    expect(components[0]).not.toHaveProperty('chosen')
    expect(components[1]).toEqual({ component: 'gpu', refused: [] })
  })
})

describe('a probe for several components', () => {
  test('is opened once and read once', () => {
    const both = working('both', ['cpu', 'ram'])
    const { probes, components } = detect([
      { component: 'cpu', candidates: [both] },
      { component: 'ram', candidates: [both] },
    ])
    expect(both.done).toEqual({ opened: 1, closed: 0 })
    expect(probes).toEqual([both.probeItself])
    expect(components.map(({ chosen }) => chosen?.probe)).toEqual(['both', 'both'])
  })

  test('is refused once per component with the same reason, and not tried twice', () => {
    let tries = 0
    const refused: Candidate = {
      probe: 'rapl',
      method: 'measured',
      open() {
        tries += 1
        throw new ProbeUnavailable('root only', 'sudo chmod')
      },
    }
    const { components } = detect([
      { component: 'cpu', candidates: [refused, working('cpu-estimate', ['cpu'])] },
      { component: 'ram', candidates: [refused, working('ram-estimate', ['ram'])] },
    ])
    expect(tries).toBe(1)
    for (const { refused: list } of components) {
      expect(list).toEqual([{ probe: 'rapl', reason: 'root only', remedy: 'sudo chmod' }])
    }
  })

  test('that has no counter for one of them leaves that one to the next, and says why', () => {
    const packages = working('rapl', ['cpu'])
    const estimate = working('ram-estimate', ['ram'])
    const { probes, components } = detect([
      { component: 'cpu', candidates: [packages] },
      { component: 'ram', candidates: [packages, estimate] },
    ])
    expect(probes).toEqual([packages.probeItself, estimate.probeItself])
    expect(components[1]).toMatchObject({
      chosen: { probe: 'ram-estimate' },
      refused: [{ probe: 'rapl', reason: 'it has no counter for ram on this machine' }],
    })
  })

  test('that holds one component in the figure of another says so', () => {
    const psys = working('rapl', ['cpu', 'ram'], { includedIn: { ram: 'cpu' } })
    const { components } = detect([
      { component: 'cpu', candidates: [psys] },
      { component: 'ram', candidates: [psys] },
    ])
    expect(components[0]?.chosen).not.toHaveProperty('includedIn')
    expect(components[1]?.chosen?.includedIn).toBe('cpu')
  })
})

test('a probe that was opened and not taken is closed', () => {
  const other = working('other', ['gpu'])
  const taken = working('taken', ['cpu'])
  detect([{ component: 'cpu', candidates: [other, taken] }])
  expect(other.done).toEqual({ opened: 1, closed: 1 })
  expect(taken.done).toEqual({ opened: 1, closed: 0 })
})
