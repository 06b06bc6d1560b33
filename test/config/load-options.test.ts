import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { loadOptions, type LoadedOptions } from '../../src/config/load-options.ts'
import { fromCode } from '../../src/config/option-source.ts'
import { temporaryFolder } from '../fixtures/programs/temporary-folder.ts'

let home: string
let workingDirectory: string

beforeEach(() => {
  const folder = temporaryFolder()
  home = join(folder, 'home')
  workingDirectory = join(folder, 'work')
  for (const path of [home, workingDirectory]) mkdirSync(path)
})

const configure = (folder: string, ...lines: readonly string[]): string => {
  const path = join(folder, '.codecarbon.config')
  writeFileSync(path, ['[codecarbon]', ...lines, ''].join('\n'))
  return path
}

const load = (code: object = {}, environment: NodeJS.ProcessEnv = {}): LoadedOptions =>
  loadOptions(fromCode(code), { environment, home, workingDirectory })

describe('the places of options', () => {
  it('override each other as the documentation of CodeCarbon says', () => {
    // Its example: the home file, the near file, the environment and the constructor, each over the ones before.
    configure(home, 'measure_power_secs = 10', 'save_to_file = local-overwrite', 'tracking_mode = machine')
    configure(workingDirectory, 'save_to_file = true', 'emissions_endpoint = http://localhost:8008/emissions')
    const { options } = load(
      { projectName: 'code' },
      { CODECARBON_TRACKING_MODE: 'process', CODECARBON_PROJECT_NAME: 'environment' },
    )
    expect(options).toMatchObject({
      measurePowerSecs: 10,
      saveToFile: true,
      emissionsEndpoint: 'http://localhost:8008/emissions',
      trackingMode: 'process',
      projectName: 'code',
    })
  })

  it('each count where those above say nothing', () => {
    const expected: string[] = []
    const nameIn = (code: object, environment: NodeJS.ProcessEnv): void => {
      expected.push(load(code, environment).options.projectName)
    }
    nameIn({}, {})
    configure(home, 'project_name = home')
    nameIn({}, {})
    configure(workingDirectory, 'project_name = near')
    nameIn({}, {})
    nameIn({}, { CODECARBON_PROJECT_NAME: 'environment' })
    nameIn({ projectName: 'code' }, { CODECARBON_PROJECT_NAME: 'environment' })
    expect(expected).toEqual(['codecarbon', 'home', 'near', 'environment', 'code'])
  })

  it('are named with file and line', () => {
    const path = configure(home, 'wue = 1', 'pue = 1.5')
    const { origins, files } = load()
    expect(origins.pue).toMatchObject({ kind: 'home', path, line: 3 })
    expect(files).toEqual([path])
  })

  it('are one where the home is the working directory', () => {
    const path = configure(home, 'pue = 1.5', 'projekt_name = x')
    const { files, warnings } = loadOptions(fromCode({}), { environment: {}, home, workingDirectory: home })
    expect(files).toEqual([path])
    expect(warnings).toEqual([`${path}:3: projekt_name: there is no such option; did you mean project_name?`])
  })

  it('need not be there', () => {
    const nowhere = { environment: {}, home: undefined, workingDirectory: undefined }
    expect(loadOptions(fromCode({}), nowhere)).toMatchObject({ files: [], warnings: [] })
  })
})

describe('a wrong value in a file', () => {
  it('is an error with file, line, value and what was expected', () => {
    const path = configure(workingDirectory, '', 'measure_power_secs = abc')
    expect(() => load()).toThrow(
      `${path}:3: measure_power_secs: expected a number of at least 0.01, got "abc"`,
    )
  })

  it('is a warning where something above overrides it', () => {
    const path = configure(home, 'measure_power_secs = abc')
    const { options, warnings } = load({ measurePowerSecs: 1 })
    expect(options.measurePowerSecs).toBe(1)
    expect(warnings).toEqual([
      `${path}:2: measure_power_secs: expected a number of at least 0.01, got "abc"; option measurePowerSecs overrides it`,
    ])
  })
})
