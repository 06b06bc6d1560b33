import { join } from 'node:path'
import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Sums } from '../../src/statement/sums.ts'
import { temporaryFolder } from '../fixtures/programs/temporary-folder.ts'
import { accountsOf, writeRows, type Cells } from './files.ts'

let folder: string

beforeEach(() => {
  folder = temporaryFolder()
})

const sumsOf = async (...files: (readonly Cells[])[]): Promise<Sums> => {
  const paths = files.map((rows, index) => writeRows(join(folder, `${index}.csv`), rows))
  return (await accountsOf(paths)).total
}

const row = (cells: Cells): Cells => ({
  ...{ timestamp: '2026-08-08T12:00:00', project_name: 'p', run_id: '', duration: 1 },
  ...{ emissions: 0.001, energy_consumed: 1, gpu_energy: 0, ...cells },
})

describe('counting', () => {
  it('takes the last row of a run, in one file and across files', async () => {
    const within = [row({ run_id: 'a', duration: 1 }), row({ run_id: 'a', duration: 5 })]
    expect(await sumsOf(within)).toMatchObject({ runs: 1, duration: { value: 5 } })
    expect(await sumsOf(within, [row({ run_id: 'a', duration: 9 })])).toMatchObject({
      runs: 1,
      duration: { value: 9 },
    })
  })

  it.each(['', 'None'])('counts every row whose run_id is "%s"', async (runId) => {
    const rows = [row({ run_id: runId }), row({ run_id: runId })]
    expect(await sumsOf(rows, rows)).toMatchObject({ runs: 4, duration: { value: 4 } })
  })

  it('puts a run under the project of its last row', async () => {
    const path = writeRows(join(folder, 'x.csv'), [
      row({ run_id: 'a', project_name: 'old' }),
      row({ run_id: 'a', project_name: 'new' }),
    ])
    const { groups } = await accountsOf([path])
    expect(groups.map(({ name }) => name)).toEqual(['new'])
  })
})

describe('the unknown', () => {
  it('is never zero: a run without energy is unmeasured, and a sum of nothing is nothing', async () => {
    const blank = { energy_consumed: '', emissions: '', gpu_energy: '' }
    expect(await sumsOf([row(blank)])).toMatchObject({
      runs: 1,
      energy: { value: undefined, runs: 0 },
      emissions: { value: undefined, runs: 0 },
      carbonIntensity: undefined,
      measured: undefined,
    })
    expect(await sumsOf([row(blank), row({})])).toMatchObject({ runs: 2, energy: { value: 3.6e6, runs: 1 } })
  })

  it('is told of the GPU where a run has an energy without it', async () => {
    const sums = await sumsOf([row({ gpu_energy: '' }), row({ gpu_energy: 0.5 })])
    expect(sums.components.gpu).toEqual({ energy: 1.8e6, unknownRuns: 1 })
  })
})

describe('an interval', () => {
  const ends = { energy_low: 0.5, energy_high: 2, emissions_low: 0.0005, emissions_high: 0.002 }

  it('is the sum of the intervals', async () => {
    expect(await sumsOf([row(ends), row(ends)])).toMatchObject({
      energyInterval: { low: 3.6e6, high: 14.4e6 },
      emissionsInterval: { low: 1, high: 4 },
    })
  })

  it('is left out where one run has none', async () => {
    const bare = { energy_low: '', energy_high: '', emissions_low: '', emissions_high: '' }
    expect(await sumsOf([row(ends), row(bare)])).toMatchObject({
      energyInterval: undefined,
      emissionsInterval: undefined,
    })
  })

  it('does not need those of runs without energy', async () => {
    const unmeasured = { energy_consumed: '', emissions: '', energy_low: '', energy_high: '' }
    const sums = await sumsOf([
      row(ends),
      row({ ...ends, ...unmeasured, emissions_low: '', emissions_high: '' }),
    ])
    expect(sums.energyInterval).toEqual({ low: 1.8e6, high: 7.2e6 })
  })
})

describe('means', () => {
  it('weighs the measured share by energy, and says for how much of it that is known', async () => {
    const sums = await sumsOf([
      row({ energy_consumed: 3, measured_share: 1 }),
      row({ energy_consumed: 1, measured_share: 0 }),
      row({ energy_consumed: 4, measured_share: '' }),
    ])
    expect(sums.measured).toEqual({ share: 0.75, ofEnergy: 0.5 })
  })

  it('takes the carbon intensity over the runs that know energy and emissions', async () => {
    const sums = await sumsOf([
      row({ energy_consumed: 2, emissions: 0.1 }),
      row({ energy_consumed: 5, emissions: '' }),
      row({ energy_consumed: '', emissions: 7 }),
    ])
    expect(sums.carbonIntensity).toBeCloseTo(50, 12)
  })

  it('counts water where there is a WUE only', async () => {
    const sums = await sumsOf([row({ water_consumed: 3, wue: 1.5 }), row({ water_consumed: 0, wue: 0 })])
    expect(sums.waterLitres).toEqual({ value: 3, runs: 1 })
  })
})

it('sums the same however runs are spread over files, and in whatever order', async () => {
  const quantity = fc.option(fc.double({ min: 0, max: 1e6, noNaN: true }), { nil: undefined })
  const run = fc.record({
    rows: fc.array(fc.record({ duration: quantity, emissions: quantity, energy: quantity }), {
      minLength: 1,
      maxLength: 3,
    }),
    project: fc.constantFrom('a', 'b', 'ü, "x"'),
    isNamed: fc.boolean(),
    file: fc.nat(3),
    place: fc.nat(1000),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(run, { minLength: 1, maxLength: 12 }), async (runs) => {
      const rowsOf = runs.map(({ rows, project, isNamed }, index) =>
        rows.map(({ duration, emissions, energy }) =>
          row({
            run_id: isNamed ? `run-${index}` : 'None',
            project_name: project,
            duration: duration ?? '',
            emissions: emissions ?? '',
            energy_consumed: energy ?? '',
          }),
        ),
      )
      const together = await sumsOf(rowsOf.flat())
      const order = runs.map((_, index) => index).sort((a, b) => runs[a]!.place - runs[b]!.place)
      const spread = [0, 1, 2, 3]
        .map((file) => order.filter((index) => runs[index]!.file === file).flatMap((index) => rowsOf[index]!))
        .filter((rows) => rows.length > 0)
      const apart = await sumsOf(...spread)
      expect(apart.runs).toBe(together.runs)
      for (const name of ['duration', 'energy', 'emissions'] as const) {
        expect(apart[name].runs).toBe(together[name].runs)
        const [one, other] = [apart[name].value, together[name].value]
        expect(one === undefined).toBe(other === undefined)
        expect(Math.abs((one ?? 0) - (other ?? 0))).toBeLessThanOrEqual(1e-12 * (other ?? 0))
      }
    }),
    { numRuns: 50 },
  )
})

describe('what stands beside the emissions', () => {
  it('is added up over the runs that know it', async () => {
    const known = {
      market_emissions: 0.5,
      embodied_emissions: 0.1,
      embodied_low: 0.05,
      embodied_high: 0.2,
      functional_unit: 'image',
      functional_units: 10,
      sci: 110,
    }
    const unknown = Object.fromEntries(Object.keys(known).map((name) => [name, '']))
    const sums = await sumsOf([
      row(known),
      row({ ...known, functional_units: 30, sci: 50 }),
      row({ ...known, functional_unit: 'request' }),
      row(unknown),
    ])
    expect(sums.marketEmissions).toEqual({ value: 1500, runs: 3 })
    expect(sums.embodied.value).toBeCloseTo(300, 9)
    expect(sums.embodiedInterval?.low).toBeCloseTo(150, 9)
    expect(sums.sci).toEqual([
      {
        functionalUnit: 'image',
        functionalUnits: 40,
        gramsPerUnit: (1100 + 1500) / 40,
        interval: undefined,
        runs: 2,
      },
      { functionalUnit: 'request', functionalUnits: 10, gramsPerUnit: 110, interval: undefined, runs: 1 },
    ])
  })

  it('is nothing where no run knows it', async () => {
    const sums = await sumsOf([row({})])
    expect(sums).toMatchObject({
      marketEmissions: { value: undefined },
      embodied: { value: undefined },
      sci: [],
    })
  })
})
