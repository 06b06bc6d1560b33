import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { panelPage } from '../fixtures/comet/panel-page.ts'
import { readAsPanel } from '../fixtures/comet/panel.ts'
import { apiKey, startComet } from '../fixtures/comet/simulator.ts'
import { startChild } from '../fixtures/programs/child.ts'
import { temporaryFolder } from '../fixtures/programs/temporary-folder.ts'

const example = fileURLToPath(new URL('../../examples/trackers/comet.mjs', import.meta.url))

test('the example trains two networks, and the panel shows both', { timeout: 300_000 }, async () => {
  const comet = await startComet()
  const folder = temporaryFolder()
  for (const units of ['32', '128']) {
    const { ended } = startChild(process.execPath, [example], {
      folder,
      input: '',
      env: {
        COMET_API_KEY: apiKey,
        COMET_URL_OVERRIDE: comet.url,
        COMET_WORKSPACE: 'ada',
        EPOCHS: '4',
        UNITS: units,
        CODECARBON_COUNTRY_ISO_CODE: 'FRA',
        CODECARBON_OUTPUT_DIR: join(folder, 'out'),
      },
    })
    const { code, stdout, stderr } = await ended
    expect({ code, stderr: stderr.replace(/^.* INFO .*$/gm, '').trim() }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain(`${comet.url}/ada/digits/`)
  }
  for (const { key, metrics, parameters, others, assets, throttled, name } of comet.experiments) {
    const { row } = await readAsPanel(comet, key)
    expect(row).toMatchObject({ project_name: 'digits', country_name: 'France' })
    expect(Number(others.get('CO2 emissions (kg)'))).toBe(Number(row['emissions']))
    expect(name).toBe(`${parameters.get('units')} units`)
    expect(metrics.filter(({ metricName }) => metricName === 'loss').map(({ epoch }) => epoch)).toEqual([
      1, 2, 3, 4,
    ])
    const epochs = metrics.filter(({ metricName }) => metricName === 'codecarbon_task_energy_consumed')
    expect(epochs.map(({ context, epoch }) => [context, epoch])).toEqual(
      [1, 2, 3, 4].map((epoch) => ['epoch', epoch]),
    )
    expect(assets.map(({ fileName }) => fileName).toSorted((a, b) => a.localeCompare(b))).toEqual([
      'emissions.csv',
      'weights.f32',
    ])
    expect(throttled).toBe(false)
  }
  const page = join(folder, 'panel.html')
  writeFileSync(
    page,
    await panelPage(
      comet,
      comet.experiments.map(({ key }) => key),
    ),
  )
  const pictures = process.env['PANEL_PICTURES'] ?? folder
  mkdirSync(pictures, { recursive: true })
  const { stdout } = spawnSync(
    'chromium',
    [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--hide-scrollbars',
      '--window-size=760,640',
      `--user-data-dir=${join(folder, 'profile')}`,
      `--screenshot=${join(pictures, 'comet-panel.png')}`,
      '--dump-dom',
      `file://${page}`,
    ],
    { encoding: 'utf8' },
  )
  expect(stdout).toContain('<title>drawn</title>')
  expect(stdout.match(/class="line" stroke="#/g)).toHaveLength(2)
})
