import { beforeEach, describe, expect, it } from 'vitest'
import { parseTable } from '../fixtures/csv/table.ts'
import { startChild, type Ended } from '../fixtures/programs/child.ts'
import { fakeZones, installOurselves, layOut } from '../fixtures/programs/project.ts'
import { temporaryFolder } from '../fixtures/programs/temporary-folder.ts'

/** A project that has this package installed, and whatever else a test puts there. */
let folder: string
let program: string

beforeEach(() => {
  folder = temporaryFolder()
  layOut(folder, { packageJson: {} })
  program = installOurselves(folder)
})

const cli = async (...args: readonly string[]): Promise<Ended> =>
  startChild(process.execPath, [program, ...args], { folder, input: '' }).ended

const virginia = ['--cloud-provider', 'aws', '--cloud-region', 'us-east-1'] as const

interface Detected {
  readonly intensity: { readonly grams_per_kwh: number; readonly scope: string; readonly source: string }
  readonly problems: readonly { readonly subject: string; readonly message: string }[]
}

async function detect(...args: readonly string[]): Promise<Detected> {
  const { stdout } = await cli('detect', '--json', ...args)
  return JSON.parse(stdout) as Detected
}

const about = ({ problems }: Detected): string[] =>
  problems
    .filter(({ subject }) => /zone|@tgwf/i.test(subject))
    .map(({ subject, message }) => `${subject}: ${message}`)

describe('a project without @tgwf/co2', () => {
  it('uses our own tables, and says nothing of it', async () => {
    const found = await detect(...virginia)
    expect(found.intensity).toMatchObject({ scope: 'region', source: 'US EPA, eGRID2022' })
    expect(about(found)).toEqual([])
  })

  it('has the place of a zone that is given, and is told what brings its figure', async () => {
    const found = await detect('--electricitymaps-zone', 'us-cal-ciso')
    expect(found.intensity.scope).toBe('country')
    expect(about(found)).toEqual([
      expect.stringMatching(
        /^electricitymapsZone: --electricitymaps-zone "US-CAL-CISO" has no yearly figure: .*npm install @tgwf\/co2/,
      ),
    ])
  })

  it('is told by `data` how to get it', async () => {
    const { stdout } = await cli('data')
    expect(stdout).toMatch(/^electricity-maps-zones: not here; .*npm install @tgwf\/co2/m)
    expect(await cli('data', 'electricity-maps-zones')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/npm install @tgwf\/co2/) as string,
    })
  })
})

describe('a project with @tgwf/co2', () => {
  const zone = (value: unknown): object => ({
    zone: { zoneName: 'Somewhere' },
    carbonIntensity: { value, unit: 'gCO2eq/kWh' },
  })
  const add = (value: unknown, packageJson: object = { dependencies: { '@tgwf/co2': '*' } }): void => {
    const years = { yearly2025: { data: { 'US-MIDA-PJM': zone(value), 'DE-X': zone(7) } } }
    layOut(folder, { packageJson, files: fakeZones(`module.exports = ${JSON.stringify(years)}`) })
  }

  it('uses its figures, and says so', async () => {
    add(12.5)
    expect((await detect(...virginia)).intensity).toMatchObject({
      grams_per_kwh: 12.5,
      scope: 'zone',
      year: 2025,
      basis: 'lifecycle',
      source: 'Electricity Maps, zone US-MIDA-PJM, by @tgwf/co2 0.20.0',
    })
    const { stderr } = await cli(
      'run',
      ...virginia,
      '--output-methods',
      '',
      '--',
      process.execPath,
      '-e',
      '0',
    )
    expect(stderr).toContain(
      'at 12.5 gCO2eq/kWh: 2025, lifecycle, Electricity Maps, zone US-MIDA-PJM, by @tgwf/co2 0.20.0',
    )
  })

  it('uses our own tables where it asks for them, or does not name the package', async () => {
    add(12.5)
    expect((await detect(...virginia, '--intensity-source', 'table')).intensity.scope).toBe('region')
    add(12.5, { dependencies: { other: '*' } })
    expect((await detect(...virginia)).intensity.scope).toBe('region')
  })

  it('uses our own tables where it is broken, with one problem', async () => {
    layOut(folder, {
      packageJson: { dependencies: { '@tgwf/co2': '*' } },
      files: fakeZones('throw new Error("out of order")'),
    })
    const found = await detect(...virginia, '--electricitymaps-zone', 'US-CAL-CISO')
    expect(found.intensity.scope).toBe('region')
    expect(about(found)).toEqual([
      expect.stringMatching(/^@tgwf\/co2: .* out of order; that of US-VA is used$/),
    ])
  })

  it('is shown its figures by `data`, with their licence and where they come from', async () => {
    add(12.5)
    const { stdout } = await cli('data')
    expect(stdout).toMatch(/^electricity-maps-zones: .+\n {2}2 rows; .+\n.*@tgwf\/co2 0\.20\.0, ODbL/m)
    expect(stdout).not.toMatch(/undefined|null/)
    const printed = await cli('data', 'electricity-maps-zones')
    expect(parseTable(printed.stdout)[0]).toEqual({
      zone: 'US-MIDA-PJM',
      name: 'Somewhere',
      gramsPerKwh: '12.5',
      year: '2025',
    })
  })
})

describe('carbonIntensity', () => {
  const ask = async (query: object): Promise<string> => {
    const code = `import { carbonIntensity } from 'codecarbon'
try { console.log(carbonIntensity(${JSON.stringify(query)}).scope) } catch (error) { console.log(error.code, error.message) }`
    const { stdout } = await startChild(process.execPath, ['--input-type=module', '-e', code], {
      folder,
      input: '',
    }).ended
    return stdout.trim()
  }

  it('refuses a zone where the package is missing or broken, and gives our figure for a place', async () => {
    const cloud = { cloudProvider: 'aws', cloudRegion: 'us-east-1' }
    expect(await ask(cloud)).toBe('region')
    expect(await ask({ zone: 'DE' })).toMatch(/^ERR_PLACE_UNKNOWN zone "DE" .*npm install @tgwf\/co2/)
    layOut(folder, {
      packageJson: { dependencies: { '@tgwf/co2': '*' } },
      files: fakeZones('throw new Error("out of order")'),
    })
    expect(await ask(cloud)).toBe('region')
    expect(await ask({ zone: 'DE' })).toMatch(/^ERR_PLACE_UNKNOWN @tgwf\/co2 .* out of order/)
  })
})

it('code in the working directory has no say', async () => {
  const elsewhere = temporaryFolder()
  layOut(elsewhere, {
    packageJson: { dependencies: { '@tgwf/co2': '*' } },
    files: fakeZones('process.stdout.write("ran")'),
  })
  const { stdout } = await startChild(process.execPath, [program, 'detect', ...virginia], {
    folder,
    cwd: elsewhere,
    input: '',
  }).ended
  expect(stdout).not.toContain('ran')
  expect(stdout).toContain('US EPA, eGRID2022')
})
