import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import {
  loadSettings,
  namesRun,
  type LoadedSettings,
} from '../../../src/integrations/mlflow/load-settings.ts'
import type { MlflowOptions } from '../../../src/integrations/mlflow/mlflow-options.ts'
import { temporaryFolder } from '../../fixtures/programs/temporary-folder.ts'

interface Given {
  readonly code?: MlflowOptions
  readonly environment?: Record<string, string>
  /** `~/.mlflow/credentials` */
  readonly credentials?: string
}

function load({ code, environment = {}, credentials }: Given): LoadedSettings {
  const home = temporaryFolder()
  if (credentials !== undefined) {
    mkdirSync(join(home, '.mlflow'))
    writeFileSync(join(home, '.mlflow/credentials'), credentials)
  }
  return loadSettings(code, { environment, home })
}

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`

describe('settings of MLflow', () => {
  it('come from code, then from the variables of MLflow', () => {
    const { settings, warnings } = load({
      code: { experimentName: 'code', nested: false },
      environment: {
        MLFLOW_TRACKING_URI: 'https://mlflow.test/prefix/',
        MLFLOW_RUN_ID: 'abc123',
        MLFLOW_EXPERIMENT_NAME: 'variable',
        MLFLOW_NESTED_RUN: 'True',
        MLFLOW_TRACKING_INSECURE_TLS: '1',
      },
    })
    expect(warnings).toEqual([])
    expect(settings).toMatchObject({
      url: 'https://mlflow.test/prefix',
      runId: 'abc123',
      experimentName: 'code',
      isNested: false,
      checksCertificate: false,
    })
  })

  it.each<[string, Given, string | undefined]>([
    ['nobody', {}, undefined],
    ['a token', { environment: { MLFLOW_TRACKING_TOKEN: 't0ken' } }, 'Bearer t0ken'],
    [
      'user name and password before a token',
      {
        environment: {
          MLFLOW_TRACKING_TOKEN: 't0ken',
          MLFLOW_TRACKING_USERNAME: 'ada',
          MLFLOW_TRACKING_PASSWORD: 'p:w',
        },
      },
      basic('ada:p:w'),
    ],
    [
      'the file at home',
      { credentials: '[mlflow]\nmlflow_tracking_username = ada\nmlflow_tracking_password = f1le#;%\n' },
      basic('ada:f1le#;%'),
    ],
    [
      'a variable over the file',
      {
        credentials: '[mlflow]\nmlflow_tracking_username = ada\nmlflow_tracking_password = f1le\n',
        environment: { MLFLOW_TRACKING_PASSWORD: 'variable' },
      },
      basic('ada:variable'),
    ],
    [
      'the address',
      { environment: { MLFLOW_TRACKING_URI: 'http://ada:p%40w@mlflow.test' } },
      basic('ada:p@w'),
    ],
  ])('ask as %s', (_title, given, expected) => {
    expect(load(given).settings.authorization?.reveal()).toBe(expected)
  })

  it('show no secret, whatever prints them', () => {
    const { settings } = load({
      environment: { MLFLOW_TRACKING_URI: 'http://ada:s3cret@mlflow.test', MLFLOW_TRACKING_TOKEN: 's3cret' },
    })
    const shown = `${inspect(settings, { depth: 9, showHidden: true })}${JSON.stringify(settings)}`
    expect(shown).not.toMatch(/s3cret|YWRhOnMzY3JldA/)
  })

  it.each([
    ['MLFLOW_RUN_ID', 'a b', 'expected an id'],
    ['MLFLOW_NESTED_RUN', 'maybe', 'expected true or false, got "maybe"'],
    ['MLFLOW_TRACKING_TOKEN', 'one\ntwo', 'expected a text on one line;'],
  ])('leave out a wrong %s with a warning', (variable, value, message) => {
    const { warnings } = load({ environment: { [variable]: value } })
    expect(warnings).toEqual([expect.stringContaining(`${variable}: ${message}`) as string])
    expect(warnings[0]).not.toContain('two')
  })

  it('tell that a certificate cannot be both given and not checked', () => {
    const { settings, warnings } = load({
      environment: { MLFLOW_TRACKING_INSECURE_TLS: 'true', MLFLOW_TRACKING_SERVER_CERT_PATH: '/ca.pem' },
    })
    expect(warnings).toEqual([expect.stringContaining('give one of the two') as string])
    expect(settings).toMatchObject({ checksCertificate: false, serverCertPath: undefined })
  })

  it.each<[MlflowOptions, string]>([
    [{ trackingUri: 'sqlite:///mlflow.db' }, 'option trackingUri: expected the address'],
    [{ trackingUri: 7 as never }, 'option trackingUri: expected a text, got "7"'],
    [{ runId: '../x' }, 'option runId: expected an id'],
    [{ token: 's3cret\n2' }, 'option token: expected a text on one line'],
    [{ nested: 'yes' as never }, 'option nested: expected true or false, got "yes"'],
    [{ requestMs: 0 }, 'option requestMs: expected a number of milliseconds'],
    [{ expermentName: 'x' } as never, 'option expermentName: not known; did you mean experimentName?'],
    [null as never, 'options: expected an object, got null'],
  ])('refuse wrong options in code: %j', (code, message) => {
    let error: unknown
    try {
      load({ code })
    } catch (thrown) {
      error = thrown
    }
    expect(error).toMatchObject({ code: 'ERR_OPTION_INVALID' })
    expect(String(error)).toContain(message)
    expect(String(error)).not.toContain('s3cret')
  })

  it.each([
    [{ MLFLOW_TRACKING_URI: 'http://localhost:5000', MLFLOW_RUN_ID: 'abc' }, true],
    [{ MLFLOW_TRACKING_URI: 'http://localhost:5000' }, false],
    [{ MLFLOW_RUN_ID: 'abc' }, false],
    [{ MLFLOW_TRACKING_URI: 'sqlite:///mlflow.db', MLFLOW_RUN_ID: 'abc' }, false],
    [{ MLFLOW_TRACKING_URI: 'databricks', MLFLOW_RUN_ID: 'abc' }, false],
  ])('name a run of a server: %j is %s', (environment, expected) => {
    expect(namesRun(environment)).toBe(expected)
  })
})

it.each<[string, Given, string]>([
  [
    'a user name alone',
    { environment: { MLFLOW_TRACKING_USERNAME: 'ada' } },
    'MLFLOW_TRACKING_USERNAME is not used without MLFLOW_TRACKING_PASSWORD (password in code)',
  ],
  [
    'a password alone',
    { code: { password: 'pw' } },
    'MLFLOW_TRACKING_PASSWORD is not used without MLFLOW_TRACKING_USERNAME (username in code)',
  ],
  [
    'name and id of an experiment',
    { code: { experimentId: '7' }, environment: { MLFLOW_EXPERIMENT_NAME: 'digits' } },
    'MLFLOW_EXPERIMENT_ID (experimentId in code) counts, and MLFLOW_EXPERIMENT_NAME (experimentName in code) does not: give one of the two',
  ],
])('%s: what is not used is told', (_title, given, warning) => {
  expect(load(given).warnings).toEqual([warning])
})
