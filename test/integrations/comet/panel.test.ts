import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createContext, runInContext } from 'node:vm'
import { unzipSync } from 'fflate'
import { describe, expect, it } from 'vitest'
import type { EmissionsData } from '../../../src/core/emissions-data.ts'
import { createCometExporter } from '../../../src/exporters/comet/comet-exporter.ts'
import { hasPython } from '../../fixtures/bad-network.ts'
import { panelPage } from '../../fixtures/comet/panel-page.ts'
import { cometRig } from '../../fixtures/comet/rig.ts'
import { apiKey, startComet, type CometSimulator } from '../../fixtures/comet/simulator.ts'
import { recordOf, reportOf } from '../../fixtures/csv/records.ts'
import { runCli, startChild } from '../../fixtures/programs/child.ts'
import { temporaryFolder } from '../../fixtures/programs/temporary-folder.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const chromium = ['chromium', 'chromium-browser', 'google-chrome'].find(
  (name) => spawnSync(name, ['--version']).status === 0,
)

/** A run that goes on for this long, with power that rises. */
function recordAt(seconds: number, scale: number): EmissionsData {
  const [cpu, ram] = recordOf().components
  if (cpu === undefined || ram === undefined) throw new Error('no components')
  const energyJoules = scale * (seconds * 20 + (seconds * seconds) / 60)
  const kilowattHours = (energyJoules + seconds * 3) / 3.6e6
  return recordOf({
    duration: seconds,
    energyConsumed: kilowattHours,
    cpuEnergy: energyJoules / 3.6e6,
    ramEnergy: (seconds * 3) / 3.6e6,
    emissions: kilowattHours * 0.044,
    emissionsLow: kilowattHours * 0.04,
    emissionsHigh: kilowattHours * 0.05,
    components: [
      { ...cpu, energyJoules },
      { ...ram, energyJoules: seconds * 3 },
    ],
  })
}

/** Runs that were logged: two, and an experiment without emissions. */
async function logRuns(): Promise<CometSimulator> {
  const { comet, begin, until, clock } = cometRig()
  const names = ['baseline', '<b>wide & "deep"</b>']
  for (const [index, experimentName] of names.entries()) {
    const experiment = begin({ experimentName })
    await until(experiment.opened)
    const exporter = createCometExporter({
      experiment,
      clock,
      comparisons: () => ['180 m in an average US passenger car', '10 seconds of a 100 W television'],
    })
    for (let minute = 1; minute <= 10; minute += 1) {
      await exporter.export(reportOf('live', recordAt(minute * 60, index + 1)))
      await until(experiment.flush())
      clock.advance(60)
    }
    await exporter.export(reportOf('stop', recordAt(660, index + 1)))
    await until(experiment.end())
  }
  await until(begin({ experimentName: 'nothing' }).end())
  return comet
}

const keysOf = ({ experiments }: CometSimulator): string[] => experiments.map(({ key }) => key)

/** Runs the panel without a browser; what it prints. */
async function draw(comet: CometSimulator, keys: readonly string[]): Promise<string> {
  const page = await panelPage(comet, keys)
  const [, script = ''] = /<script>([^]*)<\/script>/.exec(page) ?? []
  let html = ''
  let done: (title: string) => void
  const title = new Promise<string>((resolve) => {
    done = resolve
  })
  const document = {
    getElementById: () => ({ insertAdjacentHTML: (_where: string, text: string) => void (html += text) }),
    set title(text: string) {
      done(text)
    },
  }
  runInContext(script, createContext({ document, TextDecoder, ArrayBuffer }))
  expect(await title).toBe('drawn')
  return html
}

async function drawOne(data: EmissionsData, url?: string): Promise<string> {
  const { comet, begin, until, clock } = cometRig()
  const experiment = begin({ experimentName: 'one' })
  const exporter = createCometExporter({ experiment, clock, comparisons: () => [] })
  await exporter.export(reportOf('stop', data))
  await until(experiment.end())
  return draw(url === undefined ? comet : { ...comet, url }, keysOf(comet))
}

describe('words of the JavaScript panel', () => {
  it.each([
    [59.99, '1 min 0 s'],
    [119.7, '2 min 0 s'],
    [7199, '2 h 0 min'],
    [12.34, '12.3 s'],
  ])('are rounded before they are split: %s s', async (seconds, words) => {
    expect(await drawOne(recordAt(seconds, 1))).toContain(`<td>${words}</td>`)
  })

  it('name the unit that a rounded number has', async () => {
    const html = await drawOne(recordOf({ emissions: 999.9, emissionsLow: 999.9, emissionsHigh: 999.9 }))
    expect(html).toContain('1 t')
    expect(html).not.toContain('1000 kg')
  })

  it('lead to nothing but pages', async () => {
    expect(await drawOne(recordOf())).toContain('<a href="https://comet.test/')
    expect(await drawOne(recordOf(), 'javascript:alert(1)')).not.toContain('href=')
  })
})

describe('the JavaScript panel', () => {
  it('shows several experiments side by side, names of other people as they are', async () => {
    const comet = await logRuns()
    const html = await draw(comet, keysOf(comet))
    expect(html).toContain('baseline</a>')
    expect(html).toContain('&lt;b&gt;wide &amp; &quot;deep&quot;&lt;/b&gt;</a>')
    expect(html).not.toContain('<b>wide')
    expect(html).toContain('1 more without emissions')
    expect(html).toMatch(/<td>90 %<\/td><td>11 min 0 s<\/td><td>France<\/td>/)
    expect(html.match(/class="whisker"/g)).toHaveLength(2)
    expect(html.match(/class="line"/g)).toHaveLength(2)
    expect(html).not.toMatch(/NaN|undefined|Infinity/)
  })

  it('shows one experiment with its power over time and what it compares to', async () => {
    const comet = await logRuns()
    const [first = ''] = keysOf(comet)
    const html = await draw(comet, [first])
    expect(html).toContain('Power over time')
    expect(html).toContain('180 m in an average US passenger car')
    expect(html.match(/class="line"/g)).toHaveLength(3)
    expect(html).not.toMatch(/NaN|undefined|Infinity/)
  })

  it('says so where there is nothing', async () => {
    const comet = await logRuns()
    expect(await draw(comet, keysOf(comet).slice(2))).toContain(
      'None of these experiments has logged emissions.',
    )
  })

  it.skipIf(chromium === undefined)('is drawn by a browser', async () => {
    const comet = await logRuns()
    const folder = temporaryFolder()
    const [first = '', ...others] = keysOf(comet)
    for (const [name, keys] of [
      ['one', [first]],
      ['several', [first, ...others]],
    ] as const) {
      const path = join(folder, `${name}.html`)
      writeFileSync(path, await panelPage(comet, keys))
      const picture = join(process.env['PANEL_PICTURES'] ?? folder, `${name}.png`)
      const switches = [
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        '--hide-scrollbars',
        '--window-size=760,900',
      ]
      const { ended } = startChild(
        chromium ?? '',
        [
          ...switches,
          `--user-data-dir=${join(folder, 'profile')}`,
          `--screenshot=${picture}`,
          '--dump-dom',
          `file://${path}`,
        ],
        { folder, input: '' },
      )
      const { stdout, code } = await ended
      expect(code).toBe(0)
      expect(stdout).toContain('<title>drawn</title>')
      expect(stdout).toContain('<svg')
    }
  })
})

describe.skipIf(!hasPython())('the Python panel', () => {
  it('shows the same, over the REST API', async () => {
    const logged = await logRuns()
    const comet = await startComet()
    for (const experiment of logged.experiments) (comet.experiments as unknown[]).push(experiment)
    const script = fileURLToPath(new URL('../../fixtures/comet/panel_modules.py', import.meta.url))
    const panel = join(root, 'panels/comet/codecarbon_panel.py')
    const run = async (keys: readonly string[]): Promise<[string, unknown][]> => {
      const { ended } = startChild('python3', [script, panel], {
        folder: temporaryFolder(),
        env: { SERVER: comet.url, KEY: apiKey, EXPERIMENTS: keys.join(' '), PYTHONIOENCODING: 'utf-8' },
        input: '',
      })
      const { stdout, stderr } = await ended
      expect(stderr).toBe('')
      return stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as [string, unknown])
    }
    const [first = '', second = '', third = ''] = keysOf(comet)
    const several = await run([first, second, third])
    expect(several.map(([kind]) => kind)).toEqual(['subheader', 'dataframe', 'plotly_chart', 'plotly_chart'])
    expect(several[1]?.[1]).toMatchObject([
      { Experiment: 'baseline', Country: 'France', 'Measured share': 0.9, Seconds: 660 },
      { Experiment: '<b>wide & "deep"</b>' },
    ])
    expect(several[2]?.[1]).toMatchObject({
      data: [{ name: 'Processors' }, { name: 'Graphics cards' }, { name: 'Memory' }],
    })
    const one = await run([first])
    expect(one.map(([kind]) => kind).slice(2)).toEqual([
      'plotly_chart',
      'plotly_chart',
      'plotly_chart',
      'write',
      'write',
    ])
    expect(one[4]?.[1]).toMatchObject({
      data: [
        { name: 'Processors', x: [60, 120, 180, 240, 300, 360, 420, 480, 540, 600, 660] },
        { name: 'Memory' },
      ],
    })
    expect(await run([third])).toEqual([['write', 'None of these experiments has logged emissions.']])
  })
})

describe('codecarbon comet panel', () => {
  it('writes the panels, the Python one as a template that Comet takes', async () => {
    const folder = temporaryFolder()
    const ended = await runCli(['comet', 'panel', '--out', 'panels'], { folder })
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    const files = [
      'codecarbon-panel.css',
      'codecarbon-panel.js',
      'codecarbon-panel.zip',
      'codecarbon_panel.py',
    ]
    expect(
      readdirSync(join(folder, 'panels')).toSorted((one, other) => one.localeCompare(other, 'en')),
    ).toEqual(files.toSorted((one, other) => one.localeCompare(other, 'en')))
    const zip = unzipSync(readFileSync(join(folder, 'panels/codecarbon-panel.zip')))
    expect(Object.keys(zip)).toEqual(['tempVisualizationTemplate.json'])
    const template = JSON.parse(new TextDecoder().decode(zip['tempVisualizationTemplate.json'])) as Record<
      string,
      unknown
    >
    expect(template).toMatchObject({
      templateName: 'CodeCarbon energy and emissions',
      editable: true,
      createdAt: expect.any(Number) as number,
      thumbnailName: expect.stringMatching(/^template-thumbnail-\w{25}$/) as string,
      code: {
        type: 'py',
        pyConfig: '{}',
        code: '',
        pyCode: readFileSync(join(folder, 'panels/codecarbon_panel.py'), 'utf8'),
      },
    })
  })

  it('is found by its nearest spelling', async () => {
    const ended = await runCli(['comet', 'panle'], { folder: temporaryFolder() })
    expect(ended).toMatchObject({ code: 2, stdout: '' })
    expect(ended.stderr).toContain('Did you mean panel?')
  })

  it('writes the template alone where a zip is asked for, and says what it cannot write', async () => {
    const folder = temporaryFolder()
    expect(await runCli(['comet', 'panel', '--out', 'panel.zip'], { folder })).toMatchObject({
      code: 0,
      stdout: 'panel.zip\n',
    })
    writeFileSync(join(folder, 'file'), '')
    const ended = await runCli(['comet', 'panel', '--out', 'file'], { folder })
    expect(ended).toMatchObject({ code: 1, stdout: '' })
    expect(ended.stderr).toMatch(/^codecarbon: file\/codecarbon-panel\.zip cannot be written: .*\n$/)
  })
})
