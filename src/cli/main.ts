#!/usr/bin/env node
import { Command, CommanderError } from 'commander'
import { ConfigError, messageOf } from '../core/errors.ts'
import { printOnStderr } from '../log.ts'
import { packageVersion } from '../version.ts'
import { addCompletion } from './completion.ts'
import { addConfig } from './config.ts'
import { addDetect } from './detect.ts'
import { addMonitor } from './monitor/monitor.ts'
import { addReport } from './report.ts'
import { addRun } from './run.ts'

/** Exit status of a wrong call, as of most programs. */
const usageError = 2

const program = new Command('codecarbon')
  .description(
    'Energy and CO2 of computing work: measured where the hardware tells, estimated with an interval elsewhere.',
  )
  .version(packageVersion(), '-v, --version', 'print the version')
  .helpCommand(false)
  .showSuggestionAfterError(true)
  .enablePositionalOptions()
  .exitOverride()
  .configureOutput({
    outputError: (text, write) => {
      write(`codecarbon: ${toOneLine(text)}\n`)
    },
  })
addRun(program)
addMonitor(program)
addDetect(program)
addReport(program)
addConfig(program)
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

/** Commander's messages without their heading, and with the nearest right spelling on the same line. */
function toOneLine(text: string): string {
  return text
    .replace(/^error: /, '')
    .trim()
    .replace(/\s*\n\s*/g, ' ')
}

function report(error: unknown): number {
  // Commander has printed its own message; help and version are no errors.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : usageError
  printOnStderr(`codecarbon: ${messageOf(error)}\n`)
  return error instanceof ConfigError ? usageError : 1
}
