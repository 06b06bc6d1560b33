import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { cliPath, environmentFor, runCli, type Ended } from '../fixtures/programs/child.ts'
import { temporaryFolder } from '../fixtures/programs/temporary-folder.ts'
import { mixedFiles, mixedPath } from '../statement/files.ts'

let folder: string

beforeEach(() => {
  folder = temporaryFolder()
  for (const name of mixedFiles) copyFileSync(mixedPath(name), join(folder, name))
})

const report = (...args: readonly string[]): Promise<Ended> => runCli(['report', ...args], { folder })
const reportJson = async (...args: readonly string[]): Promise<Json> =>
  JSON.parse((await report('--json', ...args)).stdout) as Json

interface Json {
  readonly total: { readonly runs: number; readonly energy_kwh: number | null }
  readonly projects: readonly { readonly project_name: string | null }[]
  readonly files: readonly { readonly path: string; readonly skipped_rows: number }[]
}

describe('what is printed', () => {
  it('is the text of emissions.csv in the working directory, unless told otherwise', async () => {
    copyFileSync(mixedPath('python.csv'), join(folder, 'emissions.csv'))
    const { code, stdout, stderr } = await report()
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^CodeCarbon: 3 runs of 2 projects, 26 h 00 min$/m)
    expect(stdout).not.toMatch(/undefined|null|NaN|\u001B/)
  })

  it.each([
    ['text', /^CodeCarbon: /],
    ['markdown', /^## Energy/],
    ['latex', /\\subsection/],
    ['bibtex', /^@misc\{codecarbon,/],
    ['json', /^\{\n {2}"schema": 1/],
  ])('is in the format that is asked for: %s', async (format, beginning) => {
    const { code, stdout, stderr } = await report(...mixedFiles, '--format', format)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(beginning)
    if (format === 'json') expect(await reportJson(...mixedFiles)).toEqual(JSON.parse(stdout))
  })

  it('goes to a file whole, and nothing to stdout', async () => {
    const { code, stdout } = await report(...mixedFiles, '-o', 'out.txt')
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' })
    expect(readFileSync(join(folder, 'out.txt'), 'utf8')).toBe((await report(...mixedFiles)).stdout)
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })

  it('states the share that was offset', async () => {
    expect((await report('ours.csv', '--offset-percent', '12.5')).stdout).toMatch(/12\.5 % of it offset/)
  })

  it('is no crash where the reader has gone away', () => {
    const shell = `"${process.execPath}" "${cliPath}" report ours.csv | true; echo "\${PIPESTATUS[0]}"`
    const { stdout, stderr } = spawnSync('bash', ['-c', shell], {
      cwd: folder,
      env: environmentFor(folder),
      encoding: 'utf8',
    })
    expect({ stdout, stderr }).toEqual({ stdout: '0\n', stderr: '' })
  })
})

describe('what is counted', () => {
  it('is every file once, however often it is named', async () => {
    symlinkSync('python.csv', join(folder, 'link.csv'))
    expect((await reportJson('python.csv', 'python.csv', './python.csv', 'link.csv')).total.runs).toBe(3)
  })

  it.each([
    [['--project', 'digits'], ['digits']],
    [
      ['--project', 'digits', '--project', 'train_large-model/v2'],
      ['train_large-model/v2', 'digits'],
    ],
    [
      ['--project', 'digits, train_large-model/v2'],
      ['train_large-model/v2', 'digits'],
    ],
  ])('is only the projects that are asked for: %j', async (flags, names) => {
    const { projects } = await reportJson(...mixedFiles, ...flags)
    expect(projects.map(({ project_name: name }) => name)).toEqual(names)
  })

  it('may be a project with a comma in its name', async () => {
    writeFileSync(join(folder, 'a.csv'), 'project_name,duration,emissions\n"a, b",1,2\nc,1,2\n')
    expect((await reportJson('a.csv', '--project', 'a, b')).total.runs).toBe(1)
  })

  it('leaves out bad rows with one warning for a file', async () => {
    writeFileSync(join(folder, 'bad.csv'), 'project_name,duration,emissions\np,1\np,1,2\np,x,2\n')
    const { code, stdout, stderr } = await report('bad.csv', 'ours.csv', '--json')
    expect(code).toBe(0)
    expect(stderr).toBe(
      'codecarbon: bad.csv: 2 rows are skipped, the first in line 2: it has 2 cells where the header has 3\n',
    )
    expect((JSON.parse(stdout) as Json).files).toMatchObject([
      { path: 'bad.csv', skipped_rows: 2 },
      { path: 'ours.csv', skipped_rows: 0 },
    ])
  })
})

describe('a wrong call', () => {
  it.each([
    [['--format', 'word'], /--format.*word.*text, markdown, latex, bibtex, json/],
    [['--json', '--format', 'latex'], /--json is the same as --format json/],
    [['--offset-percent', '101'], /--offset-percent.*101.*from 0 to 100/],
    [['--offset-percent', 'all'], /--offset-percent.*all.*from 0 to 100/],
    [['--ofset-percent', '1'], /did you mean --offset-percent/i],
    [['-o', './ours.csv'], /--output .*is one of the files to be read/],
  ])('ends with 2 and one line: %j', async (flags, message) => {
    const before = readFileSync(join(folder, 'ours.csv'), 'utf8')
    const { code, stdout, stderr } = await report('ours.csv', ...flags)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(message)
    expect(stderr.trimEnd()).not.toContain('\n')
    expect(readFileSync(join(folder, 'ours.csv'), 'utf8')).toBe(before)
  })
})

describe('a failure', () => {
  it.each([
    [['nothing.csv'], /nothing\.csv cannot be read: there is no such file/],
    [['ours.csv', 'folder'], /folder cannot be read: it is a folder/],
    [['other.csv'], /other\.csv cannot be read: it is no table of runs/],
    [['empty.csv'], /empty\.csv cannot be read: it is empty/],
    [['header.csv'], /there are no runs in header\.csv/],
    [['ours.csv', '--project', 'digts'], /no runs of a project digts; did you mean digits\?/],
    [['ours.csv', '--project', 'digits,zzzzzzzz'], /no runs of a project zzzzzzzz$/m],
  ])('ends with 1, one line on stderr and nothing written: %j', async (args, message) => {
    mkdirSync(join(folder, 'folder'))
    writeFileSync(join(folder, 'other.csv'), 'a,b\n1,2\n')
    writeFileSync(join(folder, 'empty.csv'), '')
    writeFileSync(join(folder, 'header.csv'), 'project_name,duration,emissions\n')
    const { code, stdout, stderr } = await report(...args, '-o', 'out.txt')
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(message)
    expect(stderr.trimEnd()).not.toContain('\n')
    expect(readdirSync(folder)).not.toContain('out.txt')
  })

  it('to write the file leaves nothing behind', async () => {
    const { code, stdout, stderr } = await report('ours.csv', '-o', 'ours.csv/nowhere/out.txt')
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/nowhere\/out\.txt cannot be written(?!.*\.tmp)/)
  })
})
