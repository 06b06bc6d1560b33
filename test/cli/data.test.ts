import { beforeEach, describe, expect, it } from 'vitest'
import { runCli, type Ended } from '../fixtures/programs/child.ts'
import { parseTable } from '../fixtures/csv/table.ts'
import { temporaryFolder } from '../fixtures/programs/temporary-folder.ts'

let folder: string

beforeEach(() => {
  folder = temporaryFolder()
})

const data = (...args: readonly string[]): Promise<Ended> => runCli(['data', ...args], { folder })

describe('data', () => {
  it('lists every table with its rows, dates, sources and licences', async () => {
    const { code, stdout, stderr } = await data()
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    for (const name of ['cpu-tdp', 'grid-intensity', 'gpu-power', 'cloud-regions', 'energy-sources']) {
      expect(stdout).toMatch(new RegExp(`^${name}: .+\\n {2}\\d+ rows, \\d{4}-`, 'm'))
    }
    expect(stdout).toContain('CC-BY-4.0')
    expect(stdout).not.toMatch(/undefined|null/)
  })

  it('lists them as JSON', async () => {
    const { stdout } = await data('--json')
    const tables = JSON.parse(stdout) as { name: string; rows: number; licence: string }[]
    expect(tables.find(({ name }) => name === 'gpu-power')).toMatchObject({ rows: 187 })
    for (const { name, licence } of tables) {
      // What another package brings is not ours to license.
      if (name !== 'electricity-maps-zones') expect(licence).not.toMatch(/ODbL|GPL/)
    }
  })

  it('prints one of them as CSV', async () => {
    const { stdout } = await data('grid-intensity')
    expect(parseTable(stdout).find((row) => row['countryIsoCode'] === 'FRA')).toMatchObject({
      gramsPerKwh: '44.18',
    })
  })

  it('names the tables where there is no such one', async () => {
    const { code, stdout, stderr } = await data('grid-intensty')
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain('did you mean grid-intensity?')
  })
})
