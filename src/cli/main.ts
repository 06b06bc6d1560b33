#!/usr/bin/env node
import { Command, CommanderError } from 'commander'
import { nearest } from '../config/nearest.ts'
import { ConfigError, messageOf } from '../core/errors.ts'
import { printOnStderr } from '../log.ts'
import { packageVersion } from '../version.ts'
import { addGetToken } from './account/get-token.ts'
import { addInit } from './account/init.ts'
import { addLogin, addLogout } from './account/login.ts'
import { addTestApi } from './account/test-api.ts'
import { addApi } from './api.ts'
import { addCalibrate } from './calibrate.ts'
import { addComet } from './comet.ts'
import { addCompletion } from './completion.ts'
import { addConfig } from './config.ts'
import { addData } from './data.ts'
import { addDetect } from './detect.ts'
import { addMonitor } from './monitor/monitor.ts'
import { addReport } from './report.ts'
import { addRun } from './run.ts'
import { endWithStdout } from './stdout.ts'

/** Exit status of a wrong call, as of most programs. */
const usageError = 2

hideSecrets()
endWithStdout()
const program = new Command('codecarbon')
  .description(
    'Energy and CO2 of computing work: measured where the hardware tells, estimated with an interval elsewhere.',
  )
  .version(packageVersion(), '-v, --version', 'print the version')
  .helpCommand(false)
  .showSuggestionAfterError(false)
  .enablePositionalOptions()
  .exitOverride()
  .configureOutput({
    outputError: (text, write) => {
      write(`codecarbon: ${toOneLine(text)}${suggestion(text)}\n`)
    },
  })
addRun(program)
addMonitor(program)
addDetect(program)
addReport(program)
addCalibrate(program)
addConfig(program)
addInit(program)
addLogin(program)
addLogout(program)
addGetToken(program)
addTestApi(program)
addComet(program)
addApi(program)
addData(program)
addCompletion(program)

try {
  if (process.argv.length <= 2) {
    program.outputHelp()
  } else {
    await program.parseAsync()
  }
} catch (error) {
  process.exitCode = report(error)
}

/** Lists of processes show what a program was called with, a key too, until it calls itself otherwise. */
function hideSecrets(): void {
  const own = process.argv.slice(2)
  const end = own.indexOf('--')
  const flags = end === -1 ? own : own.slice(0, end)
  if (flags.some((word) => /^--[\w-]*(?:key|token|password)\b/.test(word))) process.title = 'codecarbon'
}

/** Commander's messages without their heading, and with the nearest right spelling on the same line. */
function toOneLine(text: string): string {
  return (
    text
      .replace(/^error: /, '')
      // What stands behind a flag that nobody knows may be a secret.
      .replace(/'(--[^'=]+)=[^']*'/, "'$1'")
      .trim()
      .replace(/\s*\n\s*/g, ' ')
  )
}

/** The command or flag that a wrong one was most likely meant to be: the nearest in spelling, else the only one that begins so. */
function suggestion(text: string): string {
  const [, kind, word = ''] = /unknown (command|option) '([^'=]+)/.exec(text) ?? []
  if (kind === undefined) return ''
  const command = program.commands.find((candidate) => process.argv.includes(candidate.name()))
  const flags = (command ?? program).options.flatMap(({ long, hidden }) =>
    long == null || hidden ? [] : [long],
  )
  const commands =
    command === undefined || command.commands.length === 0 ? program.commands : command.commands
  const names = kind === 'command' ? commands.map((candidate) => candidate.name()) : flags
  const begun = names.filter((name) => name.startsWith(word))
  const closest = nearest(word, names) ?? (begun.length > 0 ? begun[0] : undefined)
  return closest === undefined ? '' : ` (Did you mean ${closest}?)`
}

function report(error: unknown): number {
  // Commander has printed its own message; help and version are no errors.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : usageError
  for (const line of messageOf(error).split('\n')) printOnStderr(`codecarbon: ${line}\n`)
  return error instanceof ConfigError ? usageError : 1
}
