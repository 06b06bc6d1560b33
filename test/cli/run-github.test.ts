import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeEach, describe, expect, it } from 'vitest'
import { runCli, startCli, type Ended } from '../fixtures/programs/child.ts'
import { temporaryFolder } from '../fixtures/programs/temporary-folder.ts'

const program = fileURLToPath(new URL('../fixtures/programs/command.js', import.meta.url))

let folder: string
let env: Record<string, string>

beforeEach(() => {
  folder = temporaryFolder()
  env = { GITHUB_STEP_SUMMARY: join(folder, 'summary.md'), CODECARBON_COUNTRY_ISO_CODE: 'FRA' }
})

const run = (args: readonly string[]): Promise<Ended> => runCli(['run', ...args], { folder, env })
const written = (): string => readFileSync(join(folder, 'summary.md'), 'utf8')

describe('codecarbon run in a job of GitHub Actions', () => {
  it('puts the command into the summary of the job, where output_methods names github', async () => {
    const { code, stderr } = await run([
      '--output-methods',
      'github',
      '--',
      process.execPath,
      program,
      'busy',
    ])
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('Emissions') as string })
    expect(written()).toMatch(/^### CodeCarbon\n\n\*\*.+ CO2eq\*\* \(.+\) from \*\*.+\*\*/)
    expect(written()).toMatch(/^\| CPU \| .+ \|$/m)
    expect(written()).toContain('gCO2eq/kWh: France')
    if (process.platform === 'linux') expect(written()).toMatch(/^\| of it the command \| /m)
    expect(readdirSync(folder).toSorted()).toEqual(['home', 'summary.md'])
  })

  it('writes none where output_methods does not name it', async () => {
    await run(['--', process.execPath, '-e', ''])
    expect(existsSync(join(folder, 'summary.md'))).toBe(false)
  })

  it('puts one section behind the other for the commands of a step, failing ones too', async () => {
    env['CODECARBON_OUTPUT_METHODS'] = 'csv,github'
    const fail = await run(['--project-name', 'lint', '--', process.execPath, '-e', 'process.exit(7)'])
    const ok = await run(['--project-name', 'unit', '--', process.execPath, '-e', ''])
    expect([fail.code, ok.code]).toEqual([7, 0])
    expect(written().match(/^### .*$/gm)).toEqual(['### CodeCarbon: lint', '### CodeCarbon: unit'])
  })

  it.skipIf(process.platform === 'win32')('has it too where the job is cancelled', async () => {
    const child = startCli(['run', '--output-methods', 'github', '--', process.execPath, program, 'wait'], {
      folder,
      env,
    })
    await child.printed('ready')
    child.process.kill('SIGTERM')
    await child.ended
    expect(written()).toMatch(/^### CodeCarbon\n/)
  })

  it('says what it lacks elsewhere, and nothing fails', async () => {
    delete env['GITHUB_STEP_SUMMARY']
    const { code, stderr } = await run([
      '--output-methods=github',
      '--log-level=info',
      '--',
      process.execPath,
      '-e',
      '',
    ])
    expect(code).toBe(0)
    expect(stderr).toContain('output github: GITHUB_STEP_SUMMARY is not set')
    expect(existsSync(join(folder, 'summary.md'))).toBe(false)
  })
})
