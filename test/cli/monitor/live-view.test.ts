import { describe, expect, it } from 'vitest'
import { renderLiveView, type LiveState, type LiveStyle } from '../../../src/cli/monitor/live-view.ts'
import { createPowerHistory, type PowerHistory } from '../../../src/cli/monitor/power-history.ts'
import { sparkline } from '../../../src/cli/monitor/sparkline.ts'
import { grams, joules, seconds } from '../../../src/core/units.ts'
import { exactly } from '../../../src/core/estimate.ts'
import type { EnergyUse, Usage } from '../../../src/core/usage.ts'
import { recordOf, unmeasuredRecord } from '../../fixtures/csv/records.ts'

const energy = (value: number): EnergyUse => ({
  ...exactly(joules(value)),
  emissions: grams(0),
  told: seconds(1),
  methods: { measured: joules(value), integrated: joules(0), estimated: joules(0) },
})

/** What a run has used after so many seconds of these watts. */
const usageAt = (time: number, cpu: number, ram?: number): Usage => ({
  time: seconds(time),
  machineTime: seconds(time),
  energy: { cpu: energy(cpu), ...(ram === undefined ? {} : { ram: energy(ram) }) },
  emissions: exactly(grams(0)),
})

function historyOf(...watts: readonly number[]): PowerHistory {
  const history = createPowerHistory(60)
  let sum = 0
  history.add(usageAt(0, 0, 0))
  for (const [index, power] of watts.entries()) {
    sum += power
    history.add(usageAt(index + 1, sum, 3 * (index + 1)))
  }
  return history
}

const state = (changes: Partial<LiveState> = {}): LiveState => ({
  data: recordOf(),
  history: historyOf(10, 20, 40, 27),
  health: [{ name: 'csv', lastSuccessMs: 100_000, error: undefined, failures: 0 }],
  csvPath: '/data/emissions.csv',
  messages: ['12:00:00 tracking digits'],
  nowMs: 112_345,
  ...changes,
})

const plain: LiveStyle = { columns: 100, isUnicode: true, paint: (_, text) => text }

describe('the live view', () => {
  it('is what it was: the golden file', async () => {
    const text = `${renderLiveView(state(), plain).join('\n')}\n`
    await expect(text).toMatchFileSnapshot('../../golden/live-view.txt')
  })

  it('fits into the columns there are, wide letters too', () => {
    const data = recordOf({ projectName: '東京 '.repeat(30) })
    for (const columns of [10, 40, 80]) {
      for (const line of renderLiveView(state({ data }), { ...plain, columns })) {
        const wide = line.match(/[東京]/g)?.length ?? 0
        expect(line.length + wide).toBeLessThanOrEqual(columns)
      }
    }
  })

  it('takes no command for the terminal from names of others', () => {
    const data = recordOf({ projectName: 'a\u001B[2Jb\u0007\nc' })
    const messages = ['\u001B]0;title\u0007']
    expect(renderLiveView(state({ data, messages }), plain).join('')).not.toMatch(/[\u0007\u001B\n]/)
  })

  it('says what nobody can tell, and no number for it', () => {
    const text = renderLiveView(
      state({ data: unmeasuredRecord(), history: createPowerHistory(60) }),
      plain,
    ).join('\n')
    expect(text).toContain('nothing on this machine can be told')
    expect(text).not.toMatch(/NaN|undefined|Infinity/)
  })

  it('tells how outputs are doing', () => {
    const health = [
      { name: 'csv', lastSuccessMs: undefined, error: undefined, failures: 0 },
      { name: 'http', lastSuccessMs: 1, error: 'it took longer than 5 s', failures: 3 },
    ]
    const text = renderLiveView(state({ health }), plain).join('\n')
    expect(text).toMatch(/csv +nothing to write yet/)
    expect(text).toMatch(/http +failed 3 times: it took longer than 5 s/)
  })
})

describe('the power of the last looks', () => {
  it('is the difference of two looks over their time, oldest first', () => {
    expect(historyOf(10, 20, 40).of('cpu')).toEqual([10, 20, 40])
    expect(historyOf(10, 20).total()).toEqual([13, 23])
  })

  it('is unknown of what nobody tells', () => {
    const history = createPowerHistory(60)
    history.add(usageAt(0, 0))
    history.add(usageAt(1, 5))
    expect(history.of('gpu')).toEqual([undefined])
    expect(history.total()).toEqual([5])
  })

  it('is kept for so many looks and no more', () => {
    const history = createPowerHistory(3)
    for (let time = 0; time <= 9; time += 1) history.add(usageAt(time, time * time))
    expect(history.of('cpu')).toEqual([13, 15, 17])
  })

  it('has nothing of two looks at one moment', () => {
    const history = createPowerHistory(3)
    for (const time of [0, 0, 1, 1]) history.add(usageAt(time, 7 * time))
    expect(history.of('cpu')).toEqual([7])
  })
})

describe('a sparkline', () => {
  it.each([
    [[1, 2, 3, 4, 5, 6, 7, 8], '▁▂▃▄▅▆▇█'],
    [[0, 100], '▁█'],
    [[0, 0], '▁▁'],
    [[5, undefined, 5], '█ █'],
    [[], ''],
  ])('of %j is %s', (values, bars) => {
    expect(sparkline(values)).toBe(bars)
  })

  it('has bars for terminals without Unicode', () => {
    expect(sparkline([1, 4, 8], false)).toMatch(/^[ -~]{3}$/)
  })
})
