import { describe, expect, it } from 'vitest'
import { ConfigError, EmissionsTracker, OfflineEmissionsTracker, trackEmissions } from '../../src/index.ts'

/** The error of an action. */
function errorOf(action: () => unknown): unknown {
  try {
    action()
  } catch (error) {
    return error
  }
  return undefined
}

describe('a wrong option', () => {
  it.each([
    ['a number out of range', { measurePowerSecs: 0 }, ['measurePowerSecs', 'at least 0.01', 'got 0']],
    ['a text in the place of a number', { pue: '1.5' }, ['pue', 'a number', '"1.5"']],
    ['a text in the place of a switch', { saveToFile: 'False' }, ['saveToFile', 'true or false', '"False"']],
    ['a number that is none', { wue: NaN }, ['wue', 'NaN']],
    [
      'a choice that there is not',
      { trackingMode: 'host' },
      ['trackingMode', 'machine or process', '"host"'],
    ],
    ['a method that there is not', { outputMethods: ['CSV'] }, ['outputMethods', 'csv', 'CSV']],
    ['handlers that are no list', { outputHandlers: {} }, ['outputHandlers', 'a list']],
    ['exporters that are no objects', { exporters: ['csv'] }, ['exporters', 'a list']],
  ])('is an error that names it, what came and what was expected: %s', (_, options, words) => {
    const error = errorOf(() => new EmissionsTracker(options as never))
    expect(error).toBeInstanceOf(ConfigError)
    expect(error).toMatchObject({ code: 'ERR_OPTION_INVALID' })
    for (const word of words) expect((error as Error).message).toContain(word)
  })

  it.each([
    [{ projectname: 'x' }, 'projectName'],
    [{ mesurePowerSecs: 1 }, 'measurePowerSecs'],
    [{ project_name: 'x' }, 'projectName'],
    [{ outputHandler: [] }, 'outputHandlers'],
    [{ exporter: [] }, 'exporters'],
  ])('that there is not is an error with the nearest one: %j', (options, nearest) => {
    const error = errorOf(() => new EmissionsTracker(options as never))
    expect(error).toBeInstanceOf(ConfigError)
    expect((error as Error).message).toContain(Object.keys(options)[0])
    expect((error as Error).message).toContain(`did you mean option ${nearest}?`)
  })

  it('is an error of the offline tracker as well', () => {
    expect(errorOf(() => new OfflineEmissionsTracker({ pue: 0.5 }))).toBeInstanceOf(ConfigError)
  })

  it('is an error where a function is wrapped or decorated, and not at the first call', () => {
    const options = { pue: 0.5 }
    expect(errorOf(() => trackEmissions(() => 1, options))).toBeInstanceOf(ConfigError)
    expect(errorOf(() => trackEmissions(options))).toBeInstanceOf(ConfigError)
  })
})
