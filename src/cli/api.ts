import { basename } from 'node:path'
import type { Command } from 'commander'
import { systemClock } from '../core/clock.ts'
import { ConfigError } from '../core/errors.ts'
import { printOnStderr } from '../log.ts'
import { addOptions, optionsFrom } from './options.ts'

/** `codecarbon api`: what waits to be sent to the CodeCarbon API. */
export function addApi(program: Command): void {
  const api = program
    .command('api')
    .description('the CodeCarbon API: send what could not be sent before')
    .helpCommand(false)
  const command = api
    .command('flush')
    .description(
      'send the slices of runs that wait for the CodeCarbon API: of those that were offline or were killed, or when it was away',
    )
    .option('--json', 'print JSON')
  addOptions(command, ['api', 'logLevel'])
  command.action(flush)
}

/** It goes on as long as something comes in such a time. */
const patienceMs = 20_000

async function flush(flags: Record<string, unknown>): Promise<void> {
  const { options, log } = optionsFrom(flags)
  const { openApiSpool, plainEndpoint } = await import('../api-output.ts')
  const endpoint = plainEndpoint(options.apiEndpoint)
  const spool = openApiSpool(log, systemClock)
  const print = (words: string, facts: object): void => {
    process.stdout.write(flags['json'] === true ? `${JSON.stringify(facts)}\n` : `${words}\n`)
  }
  tellOfOthers(spool.otherEndpoints(endpoint))
  if (spool.waitingFor(endpoint).length === 0) {
    print(`nothing waits for ${endpoint}`, { endpoint, slices: 0, runs_left: 0 })
    return
  }
  if (options.offline) throw new ConfigError('offline makes no connection, so nothing is sent')
  if (options.apiKey === undefined)
    throw new ConfigError('an API key is missing: give api_key, or run codecarbon init')
  const { connect } = await import('../exporters/api/connect.ts')
  const { Secret } = await import('../http/secret.ts')
  const { holdProcess } = await import('../integrations/comet/hold-process.ts')
  const heard = new Set<string>()
  const warn = (message: string): void => {
    if (!heard.has(message)) printOnStderr(`codecarbon: ${message}\n`)
    heard.add(message)
  }
  const release = holdProcess()
  const connection = connect({
    ...{ endpoint, spool, clock: systemClock, apiKey: new Secret(options.apiKey) },
    onTrouble: (refusal) => {
      warn(`${connection.server} ${refusal.message}`)
    },
    onRecovery: () => undefined,
    onSkew: warn,
    onMayComeTwice: () => {
      warn(`${connection.server} does not let this key look at what it has: a slice may be there twice`)
    },
    onDelivered: (path, slices) => {
      print(`${basename(path)}: ${slices} slices sent`, { run: basename(path, '.jsonl'), slices })
    },
  })
  const { courier, server } = connection
  try {
    for (let before = -1; before !== courier.sent && (before === -1 || courier.hasMore);) {
      before = courier.sent
      await courier.drain(patienceMs, 'all')
    }
    const left = courier.leftBehind.length
    if (left > 0) process.exitCode = 1
    const rest = left === 0 ? '' : `; ${left} ${left === 1 ? 'run waits' : 'runs wait'} in ${spool.folder}`
    print(`${courier.sent} slices sent to ${server}${rest}`, {
      endpoint,
      slices: courier.sent,
      runs_left: left,
    })
  } finally {
    connection.close()
    release()
  }
}

function tellOfOthers(endpoints: readonly string[]): void {
  for (const endpoint of endpoints)
    printOnStderr(
      `codecarbon: runs also wait for ${endpoint}: to send them, give --api-endpoint ${endpoint}\n`,
    )
}
