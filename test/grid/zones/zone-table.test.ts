import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createZoneSource, type ZoneAnswer } from '../../../src/grid/zones/zone-table.ts'
import { fakeZones, layOut, type Project } from '../../fixtures/programs/project.ts'
import { temporaryFolder } from '../../fixtures/programs/temporary-folder.ts'

const yearOf = (zones: Record<string, unknown>): object => ({
  data: Object.fromEntries(
    Object.entries(zones).map(([zone, value]) => [
      zone,
      { zone: { zoneName: `Zone ${zone}` }, carbonIntensity: { value, unit: 'gCO2eq/kWh' } },
    ]),
  ),
})
const moduleOf = (years: object): string => `module.exports = ${JSON.stringify(years)}`
const good = moduleOf({ yearly2025: yearOf({ 'XX-A': 12.5 }) })
const named = { devDependencies: { '@tgwf/co2': '*' } }

/** What is known in a project with such parts, to its program `app/main.js` that has our package in `node_modules`. */
function zonesIn(project: Project, program: string | undefined = 'app/main.js'): ZoneAnswer {
  const folder = temporaryFolder()
  layOut(folder, {
    ...project,
    files: { 'app/main.js': '', 'node_modules/codecarbon/package.json': '{}', ...project.files },
  })
  return createZoneSource(() => ({
    program: program === '' ? undefined : join(folder, program),
    own: join(folder, 'node_modules/codecarbon/package.json'),
  }))()
}

const rowsIn = (answer: ZoneAnswer): unknown[] => [...(answer.rows?.values() ?? [])]
const whyIn = (answer: ZoneAnswer): string => (answer.rows === undefined ? answer.why : 'there are zones')

describe('figures of zones', () => {
  it('come with the package that the project of the program names, with its version', () => {
    expect(zonesIn({ packageJson: named, files: fakeZones(good) })).toEqual({
      rows: new Map([['XX-A', { zone: 'XX-A', name: 'Zone XX-A', gramsPerKwh: 12.5, year: 2025 }]]),
      version: '0.20.0',
    })
  })

  it('come with the package that the program names within a larger project', () => {
    const files = { 'app/package.json': JSON.stringify({ dependencies: { '@tgwf/co2': '*' } }) }
    expect(
      rowsIn(zonesIn({ packageJson: {}, files: { ...files, ...fakeZones(good, { at: 'node_modules' }) } })),
    ).toHaveLength(1)
  })

  it('are not those of a project further up, which may be that of somebody else', () => {
    const folder = temporaryFolder()
    const files = { 'app/package.json': '{}', 'app/main.js': '', ...fakeZones(good) }
    layOut(folder, { packageJson: named, files })
    const own = join(folder, 'app/node_modules/codecarbon/package.json')
    const answer = createZoneSource(() => ({ program: join(folder, 'app/main.js'), own }))()
    expect(answer).toMatchObject({ isBroken: false })
  })

  it('are of no year that cannot be', () => {
    const module = moduleOf({ yearly9999: yearOf({ A: 1 }), yearly0000: yearOf({ A: 2 }) })
    expect(whyIn(zonesIn({ packageJson: named, files: fakeZones(module) }))).toMatch(/holds none/)
  })

  it('are found from this package where the program has no file', () => {
    expect(rowsIn(zonesIn({ packageJson: named, files: fakeZones(good) }, ''))).toHaveLength(1)
    expect(rowsIn(zonesIn({ packageJson: named, files: fakeZones(good) }, 'app/gone'))).toHaveLength(1)
  })

  it('are those beside this package where it is installed for all programs', () => {
    expect(rowsIn(zonesIn({ files: fakeZones(good) }))).toHaveLength(1)
  })

  it('are not taken from what lies there for the sake of another package', () => {
    const answer = zonesIn({
      packageJson: { dependencies: { other: '*' } },
      files: {
        'node_modules/other/package.json': JSON.stringify({ dependencies: { '@tgwf/co2': '*' } }),
        ...fakeZones(good),
      },
    })
    expect(answer).toMatchObject({ isBroken: false, why: expect.stringMatching(/npm install @tgwf\/co2/) })
  })

  it.each([
    ['nobody has it', {}],
    ['it is named, and left out by the installation', { packageJson: named }],
    ['package.json is no JSON', { files: { 'package.json': '{', ...fakeZones(good) } }],
  ])('are not there where %s, and that is no fault', (_, project) => {
    expect(zonesIn(project)).toMatchObject({
      isBroken: false,
      why: expect.stringMatching(/npm install @tgwf/),
    })
  })

  it('are of the newest year in which there is one of the zone', () => {
    const years = {
      yearly2023: yearOf({ A: 1, B: 2, C: 3 }),
      yearly2025: yearOf({ A: 7, B: null }),
      yearly2024: yearOf({ A: 5, B: 6 }),
      default: {},
    }
    expect(rowsIn(zonesIn({ packageJson: named, files: fakeZones(moduleOf(years)) }))).toMatchObject([
      { zone: 'A', gramsPerKwh: 7, year: 2025 },
      { zone: 'B', gramsPerKwh: 6, year: 2024 },
      { zone: 'C', gramsPerKwh: 3, year: 2023 },
    ])
  })

  it('may be zero, and are never another unit, negative, infinite or no number', () => {
    const zones = { A: 0, B: -1, C: '12', D: null, E: 1e6 }
    const module = `const years = ${JSON.stringify({ yearly2025: yearOf(zones) })}
const { data } = years.yearly2025
data.F = { carbonIntensity: { value: NaN, unit: 'gCO2eq/kWh' } }
data.G = { carbonIntensity: { value: 0.4, unit: 'kgCO2eq/kWh' } }
data.H = null
module.exports = years`
    expect(rowsIn(zonesIn({ packageJson: named, files: fakeZones(module) }))).toMatchObject([
      { zone: 'A', gramsPerKwh: 0 },
    ])
  })

  it.each([
    ['throws', 'throw new Error("no")', {}, /gives no figures of zones: no$/],
    ['is no JavaScript', '}{', {}, /gives no figures of zones: /],
    ['holds something else', moduleOf({ yearly2025: 'x' }), {}, /version 0\.20\.0 holds none/],
    ['holds nothing', '', { version: '' }, /holds none in gCO2eq\/kWh/],
    ['lacks its file', '', { exports: './gone.cjs' }, /gone\.cjs/],
  ])('of a package that %s are none, with a reason and no error', (_, module, options, why) => {
    const answer = zonesIn({ packageJson: named, files: fakeZones(module, options) })
    expect(answer).toMatchObject({ isBroken: true })
    expect(whyIn(answer)).toMatch(why)
  })

  it('of a package of before 0.18 are none, and the reason says so', () => {
    const old = { name: '@tgwf/co2', version: '0.17.0', exports: { '.': './zones.cjs' } }
    const files = { ...fakeZones(''), 'node_modules/@tgwf/co2/package.json': JSON.stringify(old) }
    expect(zonesIn({ packageJson: named, files })).toEqual({
      isBroken: true,
      why: '@tgwf/co2 gives no figures of zones: it is older than 0.18',
    })
  })
})
