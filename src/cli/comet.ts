import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { systemClock } from '../core/clock.ts'
import { ConfigError, EnergyError } from '../core/errors.ts'
import { writeWholeFile } from '../files/whole-file.ts'
import type { CometSettings } from '../integrations/comet/load-settings.ts'
import { printOnStderr } from '../log.ts'
import { packageFile } from '../package-file.ts'

/** `codecarbon comet`: archives of experiments, and panels that show what is logged. */
export function addComet(program: Command): void {
  const comet = program
    .command('comet')
    .description('experiments of Comet: upload what was written offline, make panels')
    .helpCommand(false)
  comet
    .command('upload')
    .description(
      'send archives of experiments that were written offline, by this program or comet_ml; one that was broken off goes on where it was',
    )
    .argument('<archive...>', 'zip files, or the folders that a process left behind')
    .option('--workspace <name>', 'workspace, where an archive names none')
    .option('--project-name <name>', 'project, where an archive names none')
    .option('--json', 'print JSON')
    .action(upload)
  comet
    .command('panel')
    .description(
      'write panels for Comet: a Python panel as source and as a template to upload, a JavaScript panel as source',
    )
    .option(
      '-o, --out <path>',
      'folder for all of them, or a file that ends in .zip for the template alone',
      '.',
    )
    .action(writePanels)
}

const sources = ['codecarbon-panel.js', 'codecarbon-panel.css', 'codecarbon_panel.py'] as const

async function writePanels({ out }: { readonly out: string }): Promise<void> {
  const { toPanelTemplate } = await import('../integrations/comet/panel-template.ts')
  const read = (name: (typeof sources)[number]): string =>
    readFileSync(packageFile(`panels/comet/${name}`), 'utf8')
  const template = toPanelTemplate({
    name: 'CodeCarbon energy and emissions',
    description:
      'Energy by component and over time, emissions with their interval, measured share, comparisons',
    python: read('codecarbon_panel.py'),
    createdAtMs: systemClock.now().wallMs,
  })
  const isFile = out.toLowerCase().endsWith('.zip')
  const files: [string, string | Uint8Array][] = [
    [isFile ? out : join(out, 'codecarbon-panel.zip'), template],
    ...(isFile ? [] : sources.map((name): [string, string] => [join(out, name), read(name)])),
  ]
  for (const [path, content] of files) {
    writeWholeFile(path, content)
    process.stdout.write(`${path}\n`)
  }
}

interface UploadFlags {
  readonly workspace?: string
  readonly projectName?: string
  readonly json?: true
}

async function upload(
  paths: readonly string[],
  { workspace, projectName, json }: UploadFlags,
): Promise<void> {
  const { loadSettings } = await import('../integrations/comet/load-settings.ts')
  const { holdProcess } = await import('../integrations/comet/hold-process.ts')
  const { settings, warnings, isAddressKnown } = loadSettings({ workspace, projectName })
  warnings.forEach(warn)
  if (!isAddressKnown)
    throw new ConfigError('nothing is uploaded while the address of the server cannot be read')
  if (settings.apiKey === undefined) {
    throw new ConfigError(
      'an API key is missing: give COMET_API_KEY, or api_key in .comet.config; keys are made at comet.com, Settings, API keys',
    )
  }
  const release = holdProcess()
  try {
    // Notes that lay beside archives, where a pattern takes everything in a folder.
    for (const path of paths.filter((one) => !one.endsWith('.upload.json')))
      await uploadOne(path, settings, json === true)
  } finally {
    release()
  }
}

/** One that fails keeps none of the others from being sent. */
async function uploadOne(path: string, settings: CometSettings, isJson: boolean): Promise<void> {
  const { readArchive } = await import('../integrations/comet/read-archive.ts')
  const { uploadArchive } = await import('../integrations/comet/upload-archive.ts')
  const { httpRequest, httpRequestUnchecked } = await import('../http/http-request.ts')
  const fetch = settings.checksCertificate ? httpRequest : httpRequestUnchecked
  const print = (words: string, facts: object): void => {
    process.stdout.write(isJson ? `${JSON.stringify({ archive: path, ...facts })}\n` : `${path}: ${words}\n`)
  }
  try {
    const archive = await readArchive(path)
    if (archive.skipped > 0)
      warn(`${path}: ${archive.skipped} lines say nothing that can be sent, and are left out`)
    const result = await uploadArchive({ path, archive, settings, fetch, clock: systemClock, warn })
    const { url, key, sent, leftOut, wasComplete } = result
    const sentWords = `${sent} things sent to ${url}${leftOut === 0 ? '' : `, ${leftOut} left out`}`
    print(wasComplete ? `had been uploaded before, and is at ${url}` : sentWords, {
      ...{ key, url, sent },
      left_out: leftOut,
      was_complete: wasComplete,
    })
  } catch (error) {
    if (!(error instanceof EnergyError)) throw error
    process.exitCode = 1
    warn(error.message)
    if (isJson) print('', { error: error.message })
  }
}

const warn = (message: string): void => {
  printOnStderr(`codecarbon: ${message}\n`)
}
