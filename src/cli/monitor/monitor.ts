import { styleText } from 'node:util'
import { type Command, Option } from 'commander'
import type { Options } from '../../config/option-table.ts'
import { ConfigError, messageOf } from '../../core/errors.ts'
import type { EmissionsData } from '../../core/emissions-data.ts'
import { summaryLine } from '../../exporters/text/summary-line.ts'
import type { Log, LogOptions } from '../../log.ts'
import { renderReport } from '../../report.ts'
import { startRun, type Started } from '../../start.ts'
import { addOptions, optionsFrom, quietly, type CommandDefaults, type Loaded } from '../options.ts'
import { runCommand } from '../run.ts'
import type { LiveStyle } from './live-view.ts'
import { createMeasurementLog, measurementLogName } from './measurement-log.ts'
import { createPowerHistory } from './power-history.ts'
import { openScreen } from './screen.ts'

/** The end must not take longer than 3 s, whatever an output does. */
const endMs = 2800
/** Outputs have a little less, so that there is time to say which one did not make it. */
const outputDeadlineMs = 2400
/** Looks of the live view. */
const lookMs = 1000
const historyLooks = 60

/** `codecarbon monitor`: measures this machine until it is told to end, and reads its configuration again when told to. */
export function addMonitor(program: Command): void {
  const command = program
    .command('monitor')
    .description(
      'track this machine until SIGINT or SIGTERM, with a live view on a terminal and a log elsewhere, where SIGHUP reads the configuration again; with -- <command> the same as run',
    )
    .usage('[options] [-- <command> [arguments...]]')
    .argument('[command...]', 'a command to track instead')
    .addOption(
      new Option(
        '--log-format <text|json>',
        'how messages are written; without it, a live view on a terminal',
      ).choices(['text', 'json']),
    )
    .option('--api', 'send figures to the CodeCarbon API')
    .option('--no-api', 'do not send figures to the CodeCarbon API')
    .passThroughOptions()
  addOptions(command, undefined, monitorDefaults)
  command.action(async (words: string[], flags: Record<string, unknown>) => {
    const format = flags['logFormat'] as LogOptions['format']
    if (words.length > 0) {
      const { options, origins, log } = optionsFrom(flags, quietly, { format })
      process.exitCode = await runCommand(words, {
        options: withApi(options, flags['api']),
        origins,
        log,
      })
      return
    }
    const isLive = format === undefined && process.stdout.isTTY && process.env['TERM'] !== 'dumb'
    const messages = createMessages()
    const logOptions = isLive ? { logger: messages.logger } : { format }
    const load = (): Loaded => {
      const loaded = optionsFrom(flags, monitorDefaults, logOptions)
      return { ...loaded, options: withApi(loaded.options, flags['api']) }
    }
    await monitor(load, isLive, messages.latest)
  })
}

/** A row that is kept up to date loses little when the machine loses its power. */
const monitorDefaults: CommandDefaults = { onCsvWrite: 'update' }

/** What `--api` and `--no-api` add to the outputs or take from them. */
function withApi(options: Options, api: unknown): Options {
  if (api === undefined) return options
  const others = options.outputMethods.filter((method) => method !== 'api')
  return { ...options, outputMethods: api === true ? [...others, 'api'] : others }
}

async function monitor(load: () => Loaded, isLive: boolean, latest: () => readonly string[]): Promise<void> {
  const signals = listen(isLive)
  try {
    let current = load()
    let started = begin(current, isLive)
    for (;;) {
      const next = await trackUntilNext(started, current.log, signals, load, isLive, latest)
      if (next === undefined) return
      try {
        started = begin(next, isLive)
        current = next
      } catch (error) {
        current.log('error', `the run goes on with the configuration it had: ${messageOf(error)}`)
        started = begin(current, isLive)
      }
    }
  } finally {
    signals.close()
  }
}

function begin({ options, origins, log }: Loaded, isLive: boolean): Started {
  const started = startRun(options, {
    ...{ log, origins, endMs: outputDeadlineMs },
    exporters: isLive ? [] : [createMeasurementLog(log)],
  })
  log('info', `tracking ${options.projectName}: ${describeMethods(started)}`)
  return started
}

/** One run of the monitor, up to a signal. @returns the options of the next one */
async function trackUntilNext(
  started: Started,
  log: Log,
  signals: Signals,
  load: () => Loaded,
  isLive: boolean,
  latest: () => readonly string[],
): Promise<Loaded | undefined> {
  const save = (): void => {
    started.run.saveSync('exit')
  }
  process.on('exit', save)
  const view = isLive ? await openView(started, latest) : undefined
  const next = await untilNext(signals, load, log, isLive ? undefined : withoutOutput(started))
  // The end comes in time even where an output hangs.
  const deadline = next === undefined ? setTimeout(() => process.exit(0), endMs) : undefined
  const data = await started.run.stop(outputDeadlineMs)
  process.off('exit', save)
  clearTimeout(deadline)
  view?.close()
  conclude(started, data, log, isLive)
  return next
}

/** Resolves where no output could be opened, so that the log alone would ever tell a figure; never otherwise. */
async function withoutOutput({ run }: Started): Promise<'nothing'> {
  const outputs = [...(await run.opened)].filter(([name]) => name !== measurementLogName)
  if (outputs.length > 0 && !outputs.some(([, isOpen]) => isOpen)) return 'nothing'
  return new Promise(() => undefined)
}

/** Waits for a signal: new options to go on with, or `undefined` to end. A wrong configuration changes nothing. */
async function untilNext(
  signals: Signals,
  load: () => Loaded,
  log: Log,
  nothing: Promise<'nothing'> | undefined,
): Promise<Loaded | undefined> {
  for (;;) {
    const next = signals.next()
    const signal = await (nothing === undefined ? next : Promise.race([next, nothing]))
    if (signal === 'nothing') {
      log('error', 'no output could be opened: the monitor ends')
      process.exitCode = 1
      return undefined
    }
    if (signal !== 'SIGHUP') return undefined
    try {
      const loaded = load()
      log('info', 'the configuration is read again; a new run begins')
      return loaded
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      log('error', `the configuration is wrong and stays as it was: ${messageOf(error)}`)
    }
  }
}

interface Signals {
  next(): Promise<NodeJS.Signals>
  close(): void
}

/**
 * The signals that end or reload. A terminal that is closed sends SIGHUP as well: with a live view that is the end. The timer keeps the
 * process alive, which the measurement itself does not.
 */
function listen(isLive: boolean): Signals {
  const queue: NodeJS.Signals[] = []
  let wake: (() => void) | undefined
  const names: readonly NodeJS.Signals[] =
    process.platform === 'win32' ? ['SIGINT', 'SIGBREAK'] : ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']
  const onSignal = (signal: NodeJS.Signals): void => {
    queue.push(isLive && signal === 'SIGHUP' ? 'SIGTERM' : signal)
    wake?.()
  }
  for (const name of names) process.on(name, onSignal)
  const alive = setInterval(() => undefined, 2 ** 30)
  return {
    async next() {
      if (queue.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      return queue.shift() ?? 'SIGTERM'
    },
    close() {
      clearInterval(alive)
    },
  }
}

function conclude(started: Started, data: EmissionsData, log: Log, isLive: boolean): void {
  if (isLive) process.stdout.write(renderReport(started, data))
  else log('info', summaryLine(data, started.csvPath()), { ...factsOfEnd(data) })
}

const factsOfEnd = (data: EmissionsData): Record<string, number | string | null> => ({
  event: 'end',
  duration_seconds: data.duration,
  energy_kwh: data.energyConsumed ?? null,
  emissions_kg: data.emissions ?? null,
})

async function openView(started: Started, latest: () => readonly string[]): Promise<{ close(): void }> {
  const { renderLiveView } = await import('./live-view.ts')
  const history = createPowerHistory(historyLooks)
  const screen = openScreen(process.stdout, show)
  const timer = setInterval(look, lookMs)
  look()

  function look(): void {
    started.run.record()
    history.add(started.run.used())
    show()
  }
  function show(): void {
    const state = {
      data: started.run.record(),
      history,
      health: started.run.health(),
      csvPath: started.csvPath(),
      messages: latest(),
      nowMs: Date.now(),
    }
    screen.draw(renderLiveView(state, styleOf(process.stdout.columns)))
  }
  return {
    close() {
      clearInterval(timer)
      screen.close()
    },
  }
}

function styleOf(columns: number): LiveStyle {
  const hasColors = (process.env['NO_COLOR'] ?? '') === '' && process.stdout.hasColors()
  const locale = process.env['LC_ALL'] ?? process.env['LC_CTYPE'] ?? process.env['LANG'] ?? ''
  return {
    columns,
    isUnicode: process.platform === 'win32' || /utf-?8/i.test(locale),
    paint: (style, text) =>
      hasColors && text !== '' ? styleText(style, text, { validateStream: false }) : text,
  }
}

/** Messages of a run that has the terminal to itself: the last few are shown. */
function createMessages(): { logger: NonNullable<LogOptions['logger']>; latest: () => readonly string[] } {
  const list: string[] = []
  const add = (message: string): void => {
    list.push(`${new Date().toTimeString().slice(0, 8)} ${message.replace('[codecarbon] ', '')}`)
    if (list.length > 5) list.shift()
  }
  return { logger: { debug: add, info: add, warn: add, error: add }, latest: () => list }
}

function describeMethods({ survey }: Started): string {
  return survey.detection.components
    .map(({ component, chosen }) =>
      chosen === undefined ? `${component} unmeasured` : `${component} ${chosen.method} (${chosen.probe})`,
    )
    .join(', ')
}
