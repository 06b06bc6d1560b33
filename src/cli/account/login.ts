import { InvalidArgumentError, type Command } from 'commander'
import { ConfigError } from '../../core/errors.ts'
import { addOptions, optionsFrom } from '../options.ts'
import type { LoginFlags } from './log-in.ts'

/** `codecarbon login`: logs in by a browser, or by another device where there is none. */
export function addLogin(program: Command): void {
  const command = program
    .command('login')
    .description(
      'log in to the CodeCarbon API by your browser, or by another device where there is no terminal or no browser',
    )
    .option('--device', 'log in on another device, with a code')
    .option('--browser', 'log in by a browser of this machine, whatever else; its address is printed')
    .option(
      '--callback-port <number>',
      'port of this machine that the browser comes back to; the provider has to know it',
      toPort,
      8090,
    )
  addOptions(command, ['apiEndpoint', 'logLevel'])
  command.action(async (flags: LoginFlags & Record<string, unknown>) => {
    if (flags.device === true && flags.browser === true) {
      throw new ConfigError('--device and --browser are two ways to log in: give one of them')
    }
    const { apiEndpoint: endpoint } = optionsFrom(flags).options
    const { logIn } = await import('./log-in.ts')
    await logIn(flags, endpoint)
  })
}

/** `codecarbon logout`: has the provider revoke the login, and forgets it. */
export function addLogout(program: Command): void {
  program
    .command('logout')
    .description('end the login: the provider revokes it, and it is no longer kept here')
    .action(async () => {
      const { logOutHere } = await import('./log-in.ts')
      await logOutHere()
    })
}

function toPort(value: string): number {
  const port = /^\d{1,5}$/.test(value) ? Number(value) : NaN
  if (port <= 65_535) return port
  throw new InvalidArgumentError('Expected a number from 0 to 65535; 0 is any that is free.')
}
