import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import type { CometOptions } from '../../../src/integrations/comet/comet-options.ts'
import {
  loadSettings,
  wantsAutoLog,
  type LoadedSettings,
} from '../../../src/integrations/comet/load-settings.ts'
import { temporaryFolder } from '../../fixtures/programs/temporary-folder.ts'

interface Given {
  readonly code?: CometOptions
  readonly environment?: Record<string, string>
  readonly near?: string
  readonly home?: string
}

function placesOf({
  environment = {},
  near,
  home,
}: Given): NonNullable<Parameters<typeof loadSettings>[1]>['places'] {
  const folder = temporaryFolder()
  const places = { environment, home: join(folder, 'home'), workingDirectory: join(folder, 'work') }
  for (const [path, text] of [
    [places.home, home],
    [places.workingDirectory, near],
  ] as const) {
    mkdirSync(path, { recursive: true })
    if (text !== undefined) writeFileSync(join(path, '.comet.config'), text)
  }
  return places
}

const load = (given: Given): LoadedSettings => {
  const places = placesOf(given)
  return loadSettings(given.code, places === undefined ? {} : { places })
}

describe('settings of Comet', () => {
  it('come from code, variables, the near file and that at home, in this order', () => {
    const home = '[comet]\napi_key = h0me\nworkspace = home\nproject_name = home\nexperiment_name = home\n'
    const near =
      '[comet]\nworkspace = near\nproject_name = near\nexperiment_name = near\n[other]\nworkspace = x\n'
    const environment = { COMET_PROJECT_NAME: 'variable', COMET_EXPERIMENT_NAME: 'variable' }
    const { settings, warnings } = load({ code: { experimentName: 'code' }, environment, near, home })
    expect(settings).toMatchObject({
      workspace: 'near',
      projectName: 'variable',
      experimentName: 'code',
      mode: 'create',
      offline: false,
      offlineDirectory: '.cometml-runs',
      url: 'https://www.comet.com',
      autoLogCo2: true,
      requestMs: 10_000,
      endMs: 5000,
    })
    expect(settings.apiKey?.reveal()).toBe('h0me')
    expect(warnings).toEqual([])
  })

  it('have all the names that Comet has for them, those of its Java client too', () => {
    const { settings, warnings } = load({
      environment: {
        COMET_API_KEY: 'k',
        COMET_WORKSPACE_NAME: 'java',
        COMET_BASE_URL: 'https://comet.example/clientlib/',
        COMET_EXPERIMENT_KEY: 'a'.repeat(32),
        COMET_START_EXPERIMENT_NAME: 'n',
        COMET_START_MODE: 'get',
        COMET_START_ONLINE: 'false',
        COMET_START_EXPERIMENT_TAGS: 'a, b,,c',
        COMET_OFFLINE_DIRECTORY: '/runs',
        COMET_AUTO_LOG_CO2: 'False',
        COMET_AUTO_LOG_ENV_DETAILS: '0',
        COMET_AUTO_LOG_ENV_HOST: 'no',
        COMET_AUTO_LOG_ENV_CPU: 'off',
        COMET_AUTO_LOG_ENV_GPU: 'true',
        COMET_AUTO_LOG_GIT_METADATA: 'true',
        COMET_LOGGING_FILE: '/log',
        COMET_LOGGING_FILE_LEVEL: 'debug',
        COMET_LOGGING_HIDE_API_KEY: 'false',
        COMET_TIMEOUT_HTTP: '3',
        COMET_TIMEOUT_API: '4.5',
        COMET_TIMEOUT_FILE_UPLOAD: '60',
        COMET_TIMEOUT_CLEANING: '7',
        COMET_MAX_AUTH_RETRIES: '2',
        COMET_INTERNAL_CHECK_TLS_CERTIFICATE: 'false',
        COMET_DISTRIBUTED_NODE_IDENTIFIER: 'node-3',
        COMET_ALLOW_HEADER_NAME: 'X-Gate',
        COMET_ALLOW_HEADER_VALUE: 'open',
      },
    })
    expect(warnings).toEqual([])
    expect(settings).toMatchObject({
      workspace: 'java',
      url: 'https://comet.example',
      experimentKey: 'a'.repeat(32),
      experimentName: 'n',
      mode: 'get',
      offline: true,
      tags: ['a', 'b', 'c'],
      offlineDirectory: '/runs',
      autoLogCo2: false,
      autoLogSystem: false,
      autoLogHost: false,
      autoLogCpu: false,
      logFile: '/log',
      logFileLevel: 'debug',
      requestMs: 3000,
      startMs: 4500,
      uploadMs: 60_000,
      endMs: 7000,
      connectTries: 2,
      checksCertificate: false,
      nodeIdentifier: 'node-3',
    })
    expect(settings.header?.name).toBe('X-Gate')
    expect(settings.header?.value.reveal()).toBe('open')
  })

  it('are those of Python and not of Java where both are given, and nothing where they are empty', () => {
    const environment = { COMET_WORKSPACE_NAME: 'java', COMET_WORKSPACE: 'python', COMET_PROJECT_NAME: '' }
    expect(load({ environment }).settings).toMatchObject({ workspace: 'python', projectName: 'general' })
  })

  it('that are wrong are left out with one warning each, which shows no secret', () => {
    const { settings, warnings } = load({
      environment: {
        COMET_API_KEY: 'two words',
        COMET_START_MODE: 'resume',
        COMET_OFFLINE: 'maybe',
        COMET_URL_OVERRIDE: 'https://ada:s3cret@comet.example',
        COMET_TIMEOUT_HTTP: '-1',
        COMET_EXPERIMENT_KEY: 'short',
        COMET_WORKSPCE: 'x',
        COMET_OPTIMIZER_ID: 'not ours',
      },
      near: '[comet]\nnonsense\n',
    })
    expect(settings).toMatchObject({
      mode: 'create',
      offline: true,
      url: 'https://www.comet.com',
      requestMs: 10_000,
    })
    expect(settings.apiKey).toBeUndefined()
    expect(warnings).toHaveLength(8)
    const all = warnings.join('\n')
    expect(all).not.toMatch(/two words|s3cret/)
    expect(all).toContain(
      'COMET_START_MODE: expected create, get or get_or_create, got "resume"; it is left out',
    )
    expect(all).toContain('COMET_WORKSPCE: not known; did you mean COMET_WORKSPACE?')
    expect(all).toMatch(/\.comet\.config:2: expected key = value, .*; nothing of it is used/)
  })

  it.each([
    [{ apiKei: 'x' }, 'option apiKei: not known; did you mean apiKey?'],
    [{ apiKey: 'two words' }, 'option apiKey: expected a text without spaces'],
    [{ mode: 'resume' }, 'option mode: expected create, get or get_or_create, got "resume"'],
    [{ offline: 'yes' }, 'option offline: expected true or false, got "yes"'],
    [{ tags: 'a,b' }, 'option tags: expected a list of texts, got "a,b"'],
    [
      { url: 'comet.example' },
      'option url: expected an address that begins with http:// or https://, without user name and password in it',
    ],
    [
      { timeouts: { endMs: 0 } },
      'option timeouts.endMs: expected a number of milliseconds from 1 to 2147483647, got 0',
    ],
    [{ timeouts: { endms: 5 } }, 'option timeouts.endms: not known; did you mean endMs?'],
    [{ timeouts: 5 }, 'option timeouts: expected an object, got number'],
    [null, 'options: expected an object, got null'],
  ])('in code that are wrong are an error: %j', (code, message) => {
    expect(() => load({ code: code as never })).toThrow(message)
  })

  it('tell of a folder that sends a key somewhere else which it does not hold itself', () => {
    const near = '[comet]\nurl_override = https://elsewhere.example\n'
    const environment = { COMET_API_KEY: 'k' }
    expect(load({ near, environment }).warnings).toEqual([
      expect.stringMatching(
        /\.comet\.config: url_override says where the API key and all that is logged are sent/,
      ),
    ])
    expect(load({ near: `${near}api_key = k\n` }).warnings).toEqual([])
    expect(
      load({ near, environment: { ...environment, COMET_URL_OVERRIDE: 'https://mine.example' } }).warnings,
    ).toEqual([])
  })

  it.each([
    [{ COMET_URL_OVERRIDE: 'comet.example' }, false],
    [{ COMET_OFFLINE: 'maybe' }, true],
    [{ COMET_START_ONLINE: 'perhaps' }, true],
  ])(
    'that say where things go and cannot be read send nothing anywhere: %j',
    (environment, isAddressKnown) => {
      const loaded = load({ environment })
      expect(loaded).toMatchObject({ settings: { offline: true }, isAddressKnown })
      expect(loaded.warnings).toEqual([
        expect.stringContaining('what is logged goes to an archive and not to a server') as string,
      ])
      expect(
        load({ environment, code: { url: 'https://mine.example', offline: false } }).settings,
      ).toMatchObject({
        url: 'https://mine.example',
        offline: false,
      })
    },
  )

  it.each([
    ['COMET_APIKEY', 'COMET_API_KEY'],
    ['COMET_OFLINE', 'COMET_OFFLINE'],
    ['COMET_PROJECT', 'COMET_PROJECT_NAME'],
    ['COMET_URL', 'COMET_URL_OVERRIDE'],
    ['COMET_KEY', 'COMET_API_KEY'],
    ['COMET_WRKSPACE', 'COMET_WORKSPACE'],
  ])('that are written as %s are asked about', (name, meant) => {
    expect(load({ environment: { [name]: 'x' } }).warnings).toEqual([
      `${name}: not known; did you mean ${meant}?`,
    ])
  })

  it('are not asked about where the name is one of Comet that nothing is made of here', () => {
    const names = [
      'AUTO_LOG_CODE',
      'CONFIG',
      'OPTIMIZER_ID',
      'GIT_DIRECTORY',
      'TIMEOUT_HEARTBEAT',
      'LOGGING_CONSOLE',
    ]
    const environment = Object.fromEntries(names.map((name) => [`COMET_${name}`, 'x']))
    expect(load({ environment }).warnings).toEqual([])
  })

  it('for a gateway may be of several words, and are checked', () => {
    const both = { COMET_ALLOW_HEADER_NAME: 'X-Gate', COMET_ALLOW_HEADER_VALUE: 'Bearer abc' }
    expect(load({ environment: both }).settings.header?.value.reveal()).toBe('Bearer abc')
    expect(load({ environment: { ...both, COMET_ALLOW_HEADER_NAME: 'X A' } }).warnings[0]).toContain(
      'COMET_ALLOW_HEADER_NAME: expected the name of a header',
    )
    expect(load({ environment: { COMET_ALLOW_HEADER_VALUE: 'abc' } }).warnings).toEqual([
      expect.stringContaining('belong together') as string,
    ])
    expect(load({ environment: { COMET_LOGGING_FILE_LEVEL: 'silly' } }).warnings[0]).toContain(
      'expected debug, info',
    )
  })

  it('of the near file that are dangerous are told of', () => {
    const near = '[comet]\ninternal_check_tls_certificate = false\nlogging_file = /tmp/x\n'
    const { warnings } = load({ near })
    expect(warnings).toHaveLength(2)
    for (const warning of warnings) expect(warning).toContain('that file is in the working directory')
  })

  it.each([
    [['digits'], 'options: expected an object'],
    [{ logger: 5 }, 'option logger: expected an object with debug, info, warn and error'],
    [{ mode: 'create', experimentKey: 'a'.repeat(32) }, 'option experimentKey: not used with mode create'],
  ])('that are wrong in code are an error: %j', (code, words) => {
    expect(() => load({ code: code as never })).toThrow(words)
  })

  it('never show the key, however they are printed', () => {
    const { settings } = load({ code: { apiKey: 's3cret-key' } })
    expect(inspect(settings, { depth: 9, showHidden: true })).not.toContain('s3cret')
    expect(JSON.stringify(settings)).toContain('"apiKey":"***"')
    expect(String(settings.apiKey)).toBe('***')
  })
})

describe('a program that says nothing about Comet', () => {
  it.each([
    [{}, false],
    [{ COMET_API_KEY: 'k' }, true],
    [{ COMET_OFFLINE: 'true' }, true],
    [{ COMET_API_KEY: 'k', COMET_AUTO_LOG_CO2: 'false' }, false],
    [{ COMET_API_KEY: 'k', COMET_AUTO_LOG_DISABLE: 'true' }, false],
  ])('with %j is logged: %s', (environment, isLogged) => {
    expect(wantsAutoLog(placesOf({ environment }))).toBe(isLogged)
  })

  it('is logged where a file has the key', () => {
    expect(wantsAutoLog(placesOf({ home: '[comet]\napi_key=k' }))).toBe(true)
  })
})
