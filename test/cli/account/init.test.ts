import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import {
  loginToken,
  organizationId,
  projectId,
  projectKey,
  startAccountServer,
  type AccountServer,
  type Kept,
} from '../../fixtures/accounts/account-server.ts'
import { keepLogin } from '../../fixtures/accounts/kept-login.ts'
import { runCli, startCli, type Ended } from '../../fixtures/programs/child.ts'
import { temporaryFolder } from '../../fixtures/programs/temporary-folder.ts'

let folder: string
let file: string

beforeEach(() => {
  folder = temporaryFolder()
  file = join(folder, '.codecarbon.config')
})

async function init(
  args: readonly string[],
  { url }: AccountServer,
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const ended = await runCli(['init', '--api-endpoint', url, ...args], { folder, env })
  for (const secret of [loginToken, 'rt-secret', projectKey, 'cpt_secret']) {
    expect(ended.stdout + ended.stderr).not.toContain(secret)
  }
  return ended
}

const modeOf = (path: string): number => statSync(path).mode & 0o777
const written = (): string => readFileSync(file, 'utf8')
const other = (name: string, fields: object = {}): Kept => ({
  ...{ id: '33333333-3333-4333-8333-333333333333', name, description: 'x' },
  ...fields,
})

describe('codecarbon init with a login', () => {
  it('has an experiment made on the default project, and writes it and a new key for this user alone', async () => {
    const server = await startAccountServer()
    keepLogin(folder, server.url)
    const { code, stdout, stderr } = await init([], server)
    const [experiment] = server.store.experiments
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(experiment).toMatchObject({ name: 'base', project_id: projectId, on_cloud: false })
    expect(written()).toBe(
      `[codecarbon]\napi_endpoint = ${server.url}\norganization_id = ${organizationId}\nproject_id = ${projectId}\nexperiment_id = ${experiment?.id}\napi_key = cpt_secret-1\n`,
    )
    expect(modeOf(file)).toBe(0o600)
    expect(stdout).toBe(
      `organisation: Ada (${organizationId})\nproject: Ada (${projectId})\nexperiment: base (${experiment?.id}), new\nwritten to .codecarbon.config, with a key: keep it out of version control\n`,
    )
  })

  it('changes nothing when it is run again', async () => {
    const server = await startAccountServer()
    keepLogin(folder, server.url)
    await init([], server)
    const first = written()
    const { code, stdout } = await init([], server)
    expect(code).toBe(0)
    expect(stdout).not.toMatch(/new|key/)
    expect(written()).toBe(first)
    expect([server.store.experiments.length, server.store.keys.length]).toEqual([1, 2])
  })

  it('keeps comments, other keys and line ends of the file, and its mode no wider than it was', async () => {
    const server = await startAccountServer()
    keepLogin(folder, server.url)
    writeFileSync(file, '; mine\r\n[codecarbon]\r\nproject_name = x ; y\r\n\r\n[other]\r\na = 1\r\n')
    chmodSync(file, 0o644)
    const { code } = await init(['--experiment-name', 'one', '--country-iso-code', 'FRA'], server)
    expect(code).toBe(0)
    expect(written()).toMatch(
      /^; mine\r\n\[codecarbon\]\r\nproject_name = x ; y\r\napi_endpoint = (.+\r\n){5}\r\n\[other\]\r\na = 1\r\n$/,
    )
    expect(modeOf(file)).toBe(0o600)
    expect(server.store.experiments).toMatchObject([{ name: 'one', country_iso_code: 'FRA' }])
  })

  it('takes an organisation and a project by name or id, and makes them where it may', async () => {
    const server = await startAccountServer()
    keepLogin(folder, server.url)
    const named = await init(['--organization', 'ada', '--project', 'AdaX'], server)
    expect(named.code).toBe(2)
    expect(named.stderr).toContain('--project: there is no project "AdaX": expected Ada; did you mean Ada?')
    expect(server.store.experiments).toEqual([])
    const made = await init(['--organization', 'Lab', '--project', 'Solar', '--create', '--json'], server)
    expect(made.code).toBe(0)
    const [, lab] = server.store.organizations
    const [, solar] = server.store.projects
    expect([lab?.name, solar?.name, solar?.['organization_id']]).toEqual(['Lab', 'Solar', lab?.id])
    expect(JSON.parse(made.stdout)).toEqual({
      file: '.codecarbon.config',
      organization_id: lab?.id,
      project_id: solar?.id,
      experiment_id: server.store.experiments[0]?.id,
      experiment_name: 'base',
      is_new: true,
      wrote_key: true,
    })
    const byId = await init(['--project', projectId, '--file', 'sub/new.config'], server)
    expect(byId.code).toBe(0)
    expect(readFileSync(join(folder, 'sub/new.config'), 'utf8')).toContain(
      `organization_id = ${organizationId}\n`,
    )
  })

  it('says that a variable counts in place of what it writes', async () => {
    const server = await startAccountServer()
    keepLogin(folder, server.url)
    const { code, stderr } = await init([], server, { CODECARBON_EXPERIMENT_ID: 'x' })
    expect(code).toBe(0)
    expect(stderr).toContain('CODECARBON_EXPERIMENT_ID is set, and counts in place of the experiment')
  })

  it('names what is missing where there are several and nobody can be asked', async () => {
    const server = await startAccountServer({
      organizations: [other('Lab'), other('Works')],
    })
    keepLogin(folder, server.url)
    const { code, stderr } = await init([], server)
    expect(code).toBe(2)
    expect(stderr).toBe(
      'codecarbon: there are several organisations, and --organization is missing: Lab, Works\n',
    )
  })

  it('says what to do where there is no organisation', async () => {
    const server = await startAccountServer({ organizations: [] })
    keepLogin(folder, server.url)
    const { stderr } = await init([], server)
    expect(stderr).toContain('name one to be made: --organization <name> --create')
  })

  it('makes nothing where the file could not be changed', async () => {
    const server = await startAccountServer()
    keepLogin(folder, server.url)
    writeFileSync(join(folder, 'wrong.config'), '[codecarbon]\nwhat is this\n')
    const { code, stderr } = await init(['--file', 'wrong.config'], server)
    expect(code).toBe(2)
    expect(stderr).toContain('wrong.config:2: expected key = value')
    expect(server.asked).toEqual([])
  })

  it('takes an experiment that is there', async () => {
    const experiment = other('old', { project_id: projectId })
    const server = await startAccountServer({ experiments: [experiment] })
    keepLogin(folder, server.url)
    const { code } = await init(['--experiment-id', experiment.id], server)
    expect(code).toBe(0)
    expect(written()).toContain(`experiment_id = ${experiment.id}\n`)
    expect(server.store.experiments).toEqual([experiment])
  })
})

describe('codecarbon init with a key', () => {
  it('writes an experiment and the key as they are given, where the API lets keys ask for nothing', async () => {
    const server = await startAccountServer()
    const args = ['--api-key', projectKey, '--experiment-id', organizationId]
    const { code } = await init(args, server)
    expect(code).toBe(0)
    expect(written()).toContain(`experiment_id = ${organizationId}\napi_key = ${projectKey}\n`)
    expect(modeOf(file)).toBe(0o600)
    expect(server.asked).toEqual([])
  })

  it('has an experiment made by an API that lets keys do so', async () => {
    const server = await startAccountServer({ keysMakeExperiments: true })
    const { code } = await init(['--api-key', projectKey, '--project', projectId], server)
    expect(code).toBe(0)
    expect(server.store.experiments).toMatchObject([{ name: 'base', project_id: projectId }])
    expect(written()).toContain(`api_key = ${projectKey}\n`)
  })

  it('keeps a key of the environment out of the file', async () => {
    const server = await startAccountServer({ keysMakeExperiments: true })
    const { code } = await init(['--project', projectId], server, { CODECARBON_API_KEY: projectKey })
    expect(code).toBe(0)
    expect(written()).not.toContain('api_key')
  })

  it.each([
    [[], '--project is missing: an API key does not tell which project it is for'],
    [['--project', 'Ada'], '--project: with an API key, expected the id of a project'],
    [['--project', projectId], 'wants a login for that, not an API key; run: codecarbon login (HTTP 401)'],
  ])('says what it needs: %j', async (args, words) => {
    const server = await startAccountServer()
    const { code, stderr } = await init(['--api-key', projectKey, ...args], server)
    expect(code).not.toBe(0)
    expect(stderr).toContain(words)
  })

  it('shows no key to who lists processes', async () => {
    const server = await startAccountServer({ keysMakeExperiments: true })
    let shown = ''
    server.fail((_request, response) => {
      shown = readFileSync(`/proc/${child.process.pid}/cmdline`, 'latin1')
      response.writeHead(500).end()
    })
    const args = ['init', '--api-endpoint', server.url, '--api-key', projectKey, '--project', projectId]
    const child = startCli(args, { folder, input: '' })
    const { code, stderr } = await child.ended
    expect([code, shown.replaceAll('\0', '')]).toEqual([1, 'codecarbon'])
    expect(stderr).toContain('is not able to answer at the moment (HTTP 500)')
  })
})

it('says that nobody is logged in', async () => {
  const server = await startAccountServer()
  const { code, stderr } = await init([], server)
  expect([code, stderr]).toEqual([
    1,
    'codecarbon: nobody is logged in; run: codecarbon login; or give --api-key\n',
  ])
})

it('asks nothing without a terminal', async () => {
  const { code, stderr } = await runCli(['config', '--wizard'], { folder })
  expect(code).toBe(2)
  expect(stderr).toContain('there is no terminal; run codecarbon init with flags')
})
