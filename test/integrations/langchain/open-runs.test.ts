import { expect, it } from 'vitest'
import { mostOpenRuns, OpenRuns } from '../../../src/integrations/langchain/open-runs.ts'

const minute = 60_000

/** Runs with a clock that is set by hand, and the order in which they end. */
function runs() {
  const clock = { ms: 0 }
  const open = new OpenRuns(() => clock.ms)
  const ended: string[] = []
  const begin = (id: string, parentId?: string): void => {
    open.add(id, parentId, { scope: undefined, end: (outcome) => void ended.push(`${id}: ${outcome}`) })
  }
  return { clock, open, ended, begin }
}

it('a run that is silent for ten minutes is given up when the next one begins, with all in it', () => {
  const { clock, begin, ended } = runs()
  begin('silent')
  begin('its step', 'silent')
  clock.ms = 9 * minute
  begin('other')
  expect(ended).toEqual([])
  clock.ms = 11 * minute
  begin('third')
  expect(ended).toEqual(['its step: aborted', 'silent: aborted'])
})

it('a run is alive as long as something begins or ends in it, and hides no silent one', () => {
  const { clock, open, begin, ended } = runs()
  begin('long')
  begin('silent')
  for (let step = 1; step <= 4; step += 1) {
    clock.ms = step * 4 * minute
    begin(`step ${step}`, 'long')
    open.end(`step ${step}`, 'ok')
  }
  expect(ended).toEqual(['step 1: ok', 'step 2: ok', 'silent: aborted', 'step 3: ok', 'step 4: ok'])
  open.end('long', 'ok')
  expect(ended.at(-1)).toBe('long: ok')
})

it('what is still open in a run ends with it', () => {
  const { open, begin, ended } = runs()
  begin('outer')
  begin('inner', 'outer')
  begin('innermost', 'inner')
  open.end('outer', 'error')
  open.end('inner', 'ok')
  expect(ended).toEqual(['innermost: error', 'inner: error', 'outer: error'])
})

it('the oldest runs of too many are unfinished, and never what the next one is part of', () => {
  const { clock, open, begin, ended } = runs()
  begin('agent')
  begin('step', 'agent')
  for (let count = 1; count < mostOpenRuns; count += 1) {
    clock.ms += 1
    begin(`call ${count}`, 'step')
  }
  expect(ended).toEqual(['call 1: unfinished'])
  begin('other')
  expect(ended).toEqual(['call 1: unfinished', 'call 2: unfinished'])
  open.end('call 1', 'ok')
  open.end('step', 'ok')
  expect(ended).toHaveLength(mostOpenRuns)
  expect(ended.at(-1)).toBe('step: ok')
})
