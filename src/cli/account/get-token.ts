import type { Command } from 'commander'
import { printOnStderr } from '../../log.ts'
import { addOptions, optionsFrom } from '../options.ts'

/** `codecarbon get-token PROJECT_ID`: makes a key that may write to a project, and prints it. */
export function addGetToken(program: Command): void {
  const command = program
    .command('get-token')
    .description('make an API key for a project and print it, and nothing else, on stdout; needs a login')
    .argument('<project-id>', 'id of the project')
    .option('--name <text>', 'name of the key, in the list of keys of the project', 'codecarbon')
  addOptions(command, ['apiEndpoint', 'logLevel'])
  command.action(async (projectId: string, flags: { readonly name: string } & Record<string, unknown>) => {
    const { apiEndpoint: endpoint } = optionsFrom(flags).options
    const { accountsByLogin, converse } = await import('./session.ts')
    const key = await converse(
      async () => (await accountsByLogin(endpoint)).addKey(projectId, flags.name),
      endpoint,
    )
    process.stdout.write(`${key.reveal()}\n`)
    if (process.stderr.isTTY) printOnStderr('It is shown this once. It belongs into api_key.\n')
  })
}
