import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { type Command } from 'commander'
import { withComet } from '../auto-comet.ts'
import { withMlflow } from '../auto-mlflow.ts'
import type { Options } from '../config/option-table.ts'
import type { ResolvedOptions } from '../config/resolve-options.ts'
import type { EmissionsData } from '../core/emissions-data.ts'
import { ConfigError, messageOf } from '../core/errors.ts'
import { totalEnergy } from '../core/usage.ts'
import { forget, saveBeforeEnd } from '../exit.ts'
import { writeSummaryFile } from '../exporters/summary-file.ts'
import { toSummary } from '../exporters/summary.ts'
import { printOnStderr, type Log } from '../log.ts'
import { createProcessTree } from '../probes/linux/process-tree.ts'
import { readMailbox, type CloseMailbox } from '../integrations/register/read-mailbox.ts'
import { renderReport } from '../report.ts'
import { createRunScope, NoScope } from '../scopes/run-scope.ts'
import { startRun, type Started } from '../start.ts'
import { addOptions, optionsFrom } from './options.ts'
import { watchTerminalKeys } from './terminal-keys.ts'

/** Time in which most programs have loaded what they need. */
const firstLookMs = 60

/** Exit codes of a shell that could not start a command. */
const notFound = 127
const notExecutable = 126

/** `codecarbon run -- CMD …`: tracks a command and everything it starts. */
export function addRun(program: Command): void {
  const command = program
    .command('run')
    .description('track a command and all its descendants; its exit code is kept, the report goes to stderr')
    .usage('[options] -- <command> [arguments...]')
    .argument('[command...]', 'the command and its arguments')
    .option('-q, --quiet', 'print no report')
    .passThroughOptions()
  addOptions(command)
  command.action(async (words: string[], flags: Record<string, unknown>) => {
    const { options, origins, log } = optionsFrom(flags)
    process.exitCode = await runCommand(words, { options, origins, log, isQuiet: flags['quiet'] === true })
  })
}

/** How a command is tracked. */
export interface RunSettings {
  readonly options: Options
  readonly origins: ResolvedOptions['origins']
  readonly log: Log
  /** Print no report. @default false */
  readonly isQuiet?: boolean
}

/**
 * Runs a command and tracks it with everything it starts. The command's exit code stands, whatever happens to the tracking.
 * @returns that exit code
 */
export async function runCommand(
  [command = '', ...args]: readonly string[],
  { options: given, origins, log, isQuiet = false }: RunSettings,
): Promise<number> {
  if (command === '') throw new ConfigError('a command is missing: codecarbon run [options] -- <command>')
  const options = await withMlflow(await withComet(given))
  // Programs of the command with `codecarbon/register` look at the environment alone.
  if (origins.integrations.kind !== 'default') process.env['CODECARBON_INTEGRATIONS'] = options.integrations
  const startedAtMs = Date.now()
  const tracked = track(options, origins, log)
  if (tracked === undefined) return runChild(command, args)
  const { started, closeMailbox } = tracked
  let exitCode = 0
  const unsaved = {
    saveAtExit: () => {
      conclude(started.run.saveSync('exit'))
    },
    saveAtSignal: () => undefined,
  }
  saveBeforeEnd(unsaved)

  const conclude = (data: EmissionsData): void => {
    if (!isQuiet) {
      printOnStderr(`\n${renderReport(started, data)}`)
      for (const place of started.run.places()) printOnStderr(`Logged to ${place}\n`)
    }
    if (options.summaryFile === undefined) return
    const summary = toSummary({
      data,
      startedAtMs,
      exitCode,
      csvPath: started.csvPath(),
      command: commandUse(started, data),
    })
    try {
      writeSummaryFile(resolve(options.summaryFile), summary)
    } catch (error) {
      log('error', messageOf(error))
    }
  }

  // A first look soon after the start, so that a short command is seen with the memory it uses.
  setTimeout(() => void started.run.record(), firstLookMs).unref()
  exitCode = await runChild(command, args)
  // Outputs that tell how a run ended look at it.
  process.exitCode = exitCode
  closeMailbox()
  const data = await started.run.stop()
  forget(unsaved)
  conclude(data)
  return exitCode
}

/** Begins to measure, and to read what programs of the command tell of their jobs and requests. */
function track(
  options: Options,
  origins: RunSettings['origins'],
  log: Log,
): { readonly started: Started; readonly closeMailbox: CloseMailbox } | undefined {
  let started: Started | undefined
  const { attribution } = options
  const closeMailbox = readMailbox({
    scopes: {
      beginScope: (scope) =>
        started === undefined ? new NoScope(scope) : createRunScope(started.run, scope, { log, attribution }),
    },
    begin() {
      started = tryStart(options, origins, log)
      return started !== undefined
    },
    warn: (message) => {
      log('warning', message)
    },
  })
  return started === undefined || closeMailbox === undefined ? undefined : { started, closeMailbox }
}

/** The run, whose summary waits for the command's exit code; `undefined` where it may not or cannot be tracked. */
function tryStart(options: Options, origins: RunSettings['origins'], log: Log): Started | undefined {
  try {
    return startRun(
      { ...options, summaryFile: undefined },
      { log, origins, ...(process.platform === 'linux' ? { tree: commandTree(options) } : {}) },
    )
  } catch (error) {
    log('error', `the command is not tracked: ${messageOf(error)}`)
    return undefined
  }
}

/** The command's process tree: everything below this process, which itself only waits, and what that has left behind. */
const commandTree = ({ procfsPath }: Options): ReturnType<typeof createProcessTree> =>
  createProcessTree({ procfsPath, includeRoot: false, mark: `${markName}=${mark}` })

/** A variable by which the command's processes are known when their parents are gone. */
const markName = '_CODECARBON_RUN'
const mark = `${process.pid}-${Date.now()}`

function commandUse(
  started: Started,
  data: EmissionsData,
): { energyJoules: number; emissionsGrams: number } | undefined {
  const use = data.trackingMode === 'process' ? started.run.used() : started.run.usedByTree()
  if (use === undefined || totalEnergy(use).value === 0) return undefined
  return { energyJoules: totalEnergy(use).value * data.pue, emissionsGrams: use.emissions.value * data.pue }
}

/** Signals that are handed on to the command, which then decides. */
const forwarded: readonly NodeJS.Signals[] =
  process.platform === 'win32'
    ? ['SIGINT', 'SIGBREAK']
    : ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGQUIT', 'SIGINT']
/** A terminal sends these to the command as well as to us. */
const sentByTerminal: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT']

/**
 * Whether the keys of a terminal reach us, and with us the command: we are in its foreground process group, wherever our streams lead
 * (`pgrp` and `tpgid` of proc_pid_stat(5)). Without procfs a stream that is a terminal has to tell.
 */
function isInForeground(): boolean {
  try {
    const text = readFileSync('/proc/self/stat', 'latin1')
    const [, , group, , , foreground] = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return group !== undefined && group === foreground
  } catch {
    return [process.stdin, process.stdout, process.stderr].some(({ isTTY }) => isTTY)
  }
}

/**
 * Runs the command with our own streams. Signals are handed on from then to the end of this process: one that comes after the command has
 * ended must not keep its figures from being saved.
 * @returns its exit code, or 128 and the number of the signal that ended it, as shells do
 */
function runChild(command: string, args: readonly string[]): Promise<number> {
  let child: ChildProcess
  try {
    child = spawn(command, args, { stdio: 'inherit', env: { ...process.env, [markName]: mark } })
  } catch (error) {
    return Promise.resolve(cannotStart(command, error))
  }
  const keys = isInForeground() ? watchTerminalKeys() : undefined
  for (const signal of forwarded) {
    process.on(signal, () => {
      if (keys === undefined || !sentByTerminal.includes(signal)) {
        child.kill(signal)
        return
      }
      void keys.wasKey().then((wasKey) => {
        if (!wasKey) child.kill(signal)
      })
    })
  }
  return new Promise((done) => {
    child.once('error', (error) => {
      done(cannotStart(command, error))
    })
    child.once('exit', (code, signal) => {
      keys?.close()
      done(code ?? 128 + (signal === null ? 0 : constants.signals[signal]))
    })
  })
}

function cannotStart(command: string, error: unknown): number {
  const code = (error as NodeJS.ErrnoException).code
  const isMissing = code === 'ENOENT' || (code === 'EACCES' && !isInPath(command))
  const reason = isMissing
    ? 'command not found'
    : code === 'EACCES'
      ? 'it may not be executed'
      : messageOf(error)
  printOnStderr(`codecarbon: ${command}: ${reason}\n`)
  return isMissing ? notFound : notExecutable
}

/** A search path with a folder that may not be searched makes the system say "not allowed" of a command that is nowhere. */
function isInPath(command: string): boolean {
  if (command.includes('/')) return true
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, command)))
}
