import type { Command } from 'commander'
import { printable } from '../../log.ts'
import { addOptions, optionsFrom } from '../options.ts'

/** `codecarbon test-api`: lists the organisations of whoever is logged in. */
export function addTestApi(program: Command): void {
  const command = program
    .command('test-api')
    .description('ask the CodeCarbon API for your organisations, to see whether login and connection work')
    .option('--json', 'print JSON')
  addOptions(command, ['apiEndpoint', 'logLevel'])
  command.action(async (flags: { readonly json?: true } & Record<string, unknown>) => {
    const { apiEndpoint: endpoint } = optionsFrom(flags).options
    const { accountsByLogin, converse } = await import('./session.ts')
    const organizations = await converse(
      async () => (await accountsByLogin(endpoint)).organizations(),
      endpoint,
    )
    process.stdout.write(
      flags.json === true
        ? `${JSON.stringify(organizations, undefined, 2)}\n`
        : organizations.map(({ id, name }) => `${printable(id)}  ${printable(name)}\n`).join('') ||
            'the API answers; this user is in no organisation\n',
    )
  })
}
