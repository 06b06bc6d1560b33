import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import {
  organizationId,
  startAccountServer,
  type AccountServer,
  type Kept,
} from '../../fixtures/accounts/account-server.ts'
import { keepLogin } from '../../fixtures/accounts/kept-login.ts'
import { cliPath, startChild, type Child } from '../../fixtures/programs/child.ts'
import { temporaryFolder } from '../../fixtures/programs/temporary-folder.ts'

const terminal = '/usr/bin/script'
const [down, enter, ctrlC] = ['\u001B[B', '\r', '\u0003']
const labId = '33333333-3333-4333-8333-333333333333'
const lab: Kept = { id: labId, name: 'Lab', description: 'x' }

describe.skipIf(!existsSync(terminal))('a person at a terminal', () => {
  let folder: string
  let server: AccountServer

  beforeEach(async () => {
    folder = temporaryFolder()
    server = await startAccountServer()
    keepLogin(folder, server.url)
  })

  const start = (...args: string[]): Child => {
    const words = [process.execPath, cliPath, ...args].map((word) => `'${word}'`).join(' ')
    const env = { CODECARBON_API_ENDPOINT: server.url, TERM: 'xterm' }
    return startChild(terminal, ['-qec', `stty cols 100 rows 40; exec ${words}`, '/dev/null'], {
      folder,
      env,
    })
  }

  /** Waits for each question, and answers it. */
  async function answer(child: Child, ...answers: readonly (readonly [question: string, keys: string])[]) {
    // One for each question, until the end.
    child.process.stdout.setMaxListeners(50)
    for (const [question, keys] of answers) {
      await child.printed(question)
      child.process.stdin.write(keys)
    }
  }

  it('is asked by init for what is ambiguous, and for the name of the experiment', async () => {
    server.store.organizations.push(lab)
    const child = start('init')
    await answer(child, ['Which organisation?', down + enter], ['Name of the new project', `Solar${enter}`])
    await answer(child, ['Description', enter], ['Name of the experiment', `-one${enter}`])
    expect((await child.ended).code).toBe(0)
    expect(server.store.projects.at(-1)).toMatchObject({ name: 'Solar', organization_id: labId })
    expect(server.store.experiments).toMatchObject([{ name: 'base-one' }])
    expect(readFileSync(join(folder, '.codecarbon.config'), 'utf8')).toContain(`organization_id = ${labId}\n`)
  })

  it('is asked by the wizard for everything', async () => {
    const home = join(folder, 'home/.codecarbon.config')
    writeFileSync(home, '# mine\n')
    const child = start('config', '--wizard')
    await answer(
      child,
      ['Which file?', enter],
      ['Address of the API', enter],
      ['Which organisation?', enter],
      ['Which project?', enter],
      ['Name of the experiment', enter],
      ['Description', enter],
      ['Does it run in a cloud?', 'y'],
      ['Provider', enter],
      ['Region of the cloud', enter],
      ['Country (empty', `France${enter}`],
      ['Its ISO code', `FRA${enter}`],
      ['Region of the country', enter],
    )
    const { code, stdout } = await child.ended
    expect(code, stdout).toBe(0)
    expect(server.store.experiments).toMatchObject([
      {
        ...{ name: 'base', description: 'Made by codecarbon init', on_cloud: true, region: null },
        ...{
          cloud_provider: 'aws',
          cloud_region: 'eu-west-1',
          country_name: 'France',
          country_iso_code: 'FRA',
        },
      },
    ])
    expect(readFileSync(home, 'utf8')).toMatch(
      new RegExp(
        String.raw`^# mine\n\n\[codecarbon\]\n(?:api_endpoint = .*\n)?organization_id = ${organizationId}\n[^]*api_key = cpt_secret-1\n$`,
      ),
    )
  })

  it('can end it, and nothing is written', async () => {
    server.store.organizations.push(lab)
    const child = start('init')
    await answer(child, ['Which organisation?', ctrlC])
    const { code, stdout } = await child.ended
    expect([code, stdout]).toEqual([
      130,
      expect.stringContaining('broken off; nothing was written') as string,
    ])
    expect(existsSync(join(folder, '.codecarbon.config'))).toBe(false)
  })
})
