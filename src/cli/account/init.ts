import type { Command } from 'commander'
import { addOptions, optionsFrom } from '../options.ts'
import type { InitFlags } from './initialize.ts'

/** `codecarbon init`: has the API give an experiment, and writes it and a key into `.codecarbon.config`. */
export function addInit(program: Command): void {
  const command = program
    .command('init')
    .description(
      'get an experiment and a key from the CodeCarbon API, on your default project or on another, and write them into .codecarbon.config; needs a login or a key',
    )
    .option('--organization <name or id>', 'organisation of the project')
    .option('--project <name or id>', 'project of the experiment')
    .option('--create', 'make an organisation and a project that are not there')
    .option('--file <path>', 'configuration file to write', '.codecarbon.config')
    .option('--json', 'print JSON')
  addOptions(command, [
    ...(['experimentId', 'experimentName', 'apiEndpoint', 'apiKey', 'logLevel'] as const),
    ...(['countryIsoCode', 'region', 'cloudProvider', 'cloudRegion'] as const),
  ])
  command.action(async (flags: InitFlags & Record<string, unknown>) => {
    const loaded = optionsFrom(flags)
    const { runInit } = await import('./initialize.ts')
    await runInit(flags, loaded)
  })
}
