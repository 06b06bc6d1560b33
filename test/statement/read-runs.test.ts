import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { temporaryFolder } from '../fixtures/programs/temporary-folder.ts'
import { mixedPath, runsOf, writeRows, writeText } from './files.ts'

let folder: string

beforeEach(() => {
  folder = temporaryFolder()
})

const header = 'timestamp,project_name,run_id,duration,emissions,energy_consumed'
const good = '2026-08-08T12:00:00,digits,a,10,0.001,0.002'

describe('a row', () => {
  it('has its units from its columns: kWh, kg and seconds become joules, grams and seconds', async () => {
    const { runs } = await runsOf(writeText(folder, `${header}\n${good}\n`))
    expect(runs).toMatchObject([{ runId: 'a', duration: 10, emissions: 1, energy: 7200 }])
  })

  it.each(['', 'None', 'NaN', 'nan', 'null', 'NA'])('keeps a cell unknown that holds "%s"', async (cell) => {
    const { runs, skipped } = await runsOf(writeText(folder, `${header}\nx,p,${cell},10,${cell},${cell}\n`))
    expect(skipped).toBeUndefined()
    expect(runs).toMatchObject([
      { runId: undefined, energy: undefined, emissions: undefined, timestamp: undefined },
    ])
  })

  it('keeps a zero as a zero', async () => {
    const { runs } = await runsOf(writeText(folder, `${header}\nx,p,a,0,0,0.0\n`))
    expect(runs).toMatchObject([{ duration: 0, energy: 0, emissions: 0 }])
  })

  it('of an older file has no more than that file tells', async () => {
    const { runs } = await runsOf(mixedPath('old.csv'))
    expect(runs).toMatchObject([
      { energy: 360_000, gpuEnergy: undefined, setting: { cpuModel: undefined, region: 'quebec' } },
    ])
  })

  it.each([
    ['too few cells', '2026-08-08T12:00:00,digits,a,10', /4 cells where the header has 6/],
    ['too many cells', `${good},7`, /7 cells where the header has 6/],
    ['a word for a number', '2026-08-08T12:00:00,digits,a,10,much,0.002', /emissions is "much"/],
    ['a negative number', '2026-08-08T12:00:00,digits,a,10,0.001,-2', /energy_consumed is "-2"/],
    ['an infinite number', '2026-08-08T12:00:00,digits,a,inf,0.001,2', /duration is "inf"/],
    ['a number beyond all numbers', '2026-08-08T12:00:00,digits,a,1e999,0.001,2', /duration is "1e999"/],
    ['a hexadecimal number', '2026-08-08T12:00:00,digits,a,0x10,0.001,2', /duration is "0x10"/],
  ])('with %s is skipped, with its line, and those around it count', async (_, bad, reason) => {
    const path = writeText(folder, `${header}\n${good}\n${bad}\n${bad}\n${good}\n`)
    const { runs, skipped } = await runsOf(path)
    expect(runs).toHaveLength(2)
    expect(skipped).toEqual({ rows: 2, firstLine: 3, reason: expect.stringMatching(reason) as string })
  })

  it('that was cut off at the end of the file is skipped', async () => {
    const { runs, skipped } = await runsOf(writeText(folder, `${header}\n${good}\n${good.slice(0, 30)}`))
    expect(runs).toHaveLength(1)
    expect(skipped).toMatchObject({ rows: 1, firstLine: 3 })
  })

  it('that was cut off within quotes is skipped, and none before it is lost', async () => {
    const rows = `${good}\n`.repeat(500)
    const { runs, skipped } = await runsOf(writeText(folder, `${header}\n${rows}2026-08-08T12:00:00,"di`))
    expect(runs).toHaveLength(500)
    expect(skipped).toEqual({
      rows: 1,
      firstLine: 502,
      reason: expect.stringMatching(/never closed/) as string,
    })
  })

  it('may have line breaks, commas and quotes within quotes', async () => {
    const rows = [{ project_name: 'a\r\nb, "c"', duration: 1, emissions: 2 }]
    const { runs, skipped } = await runsOf(writeRows(join(folder, 'emissions.csv'), rows))
    expect(skipped).toBeUndefined()
    expect(runs).toMatchObject([{ setting: { projectName: 'a\r\nb, "c"' }, emissions: 2000 }])
  })
})

describe('a file', () => {
  it.each([
    ['a byte order mark and CRLF', `\uFEFF${header}\r\n${good}\r\n`],
    ['no line end after its last row', `${header}\n${good}`],
    ['empty lines', `${header}\n\n${good}\n\n`],
    ['its header twice, as files put one behind the other have', `${header}\n${header}\n${good}\n`],
    ['spaces around its columns', `${header.replaceAll(',', ' , ')}\n${good}\n`],
  ])('may have %s', async (_, text) => {
    const { runs, skipped } = await runsOf(writeText(folder, text))
    expect(skipped).toBeUndefined()
    expect(runs).toMatchObject([{ runId: 'a', energy: 7200, setting: { projectName: 'digits' } }])
  })

  it('has no runs where it has a header only', async () => {
    expect(await runsOf(writeText(folder, `${header}\n`))).toEqual({ runs: [], skipped: undefined })
  })

  it('may be put behind one with other columns', async () => {
    const text = `${header}\n${good}\nemissions,duration\n0.5,7\n`
    const { runs } = await runsOf(writeText(folder, text))
    expect(runs).toMatchObject([{ emissions: 1 }, { emissions: 500, duration: 7, energy: undefined }])
  })

  it.each([
    ['is not there', () => join(folder, 'nothing.csv'), /nothing\.csv cannot be read: there is no such file/],
    ['is a folder', () => folder, /it is a folder, expected a CSV file/],
    ['is empty', () => writeText(folder, ''), /it is empty/],
    ['has other columns', () => writeText(folder, 'a,b\n1,2\n'), /no table of runs, expected .*`emissions`/],
    [
      'has its cells parted by semicolons',
      () => writeText(folder, 'emissions;duration\n1;2\n'),
      /parted by commas/,
    ],
    ['holds tasks', () => writeText(folder, `task_name,${header}\n`), /it holds tasks/],
    ['is no text', () => writeBytes(), /no table of runs/],
  ])('that %s is refused', async (_, makePath, message) => {
    await expect(runsOf(makePath())).rejects.toMatchObject({
      code: 'ERR_FILE_UNREADABLE',
      message: expect.stringMatching(message) as string,
    })
  })

  it('that may not be read is refused', async () => {
    const path = join(folder, 'made')
    mkdirSync(path)
    await expect(runsOf(join(path, 'x', 'y.csv'))).rejects.toThrow(/cannot be read/)
  })
})

function writeBytes(): string {
  const path = join(folder, 'emissions.csv')
  writeFileSync(path, Buffer.from(Array.from({ length: 4096 }, (_, index) => (index * 7919) % 256)))
  return path
}
