import { messageOf } from '../../core/errors.ts'
import type { Command } from './powermetrics-command.ts'

/** Hears of a running command. Nothing is heard after `onEnd`, nor after it was closed. */
export interface CommandListener {
  onText(text: string): void
  /** It ended by itself; the reason is what it wrote on stderr, or how it ended. */
  onEnd(reason: string): void
}

/** A command that runs. */
export interface RunningCommand {
  close(): void
}

/** Runs a command that goes on writing. Returns at once, never throws. */
export type RunCommand = (command: Command, listener: CommandListener) => RunningCommand

/** As much of stderr as a message needs. */
const longestReason = 1000

/**
 * Runs a command that keeps nothing alive and does not outlive this process: on close it is sent SIGTERM, and its pipe is closed. That is
 * what ends a child of `sudo`, which belongs to root and takes no signal from us, and what the system does for us if we are killed:
 * the next sample is written into a closed pipe, and SIGPIPE ends the writer (libuv gives children the default of every signal).
 */
export const runCommand: RunCommand = ({ file, args }, listener) => {
  let isOver = false
  let complaint = ''
  const end = (reason: string): void => {
    if (isOver) return
    isOver = true
    listener.onEnd(reason)
  }
  let child
  try {
    // Loading it takes milliseconds that other systems need not pay.
    const { spawn } = process.getBuiltinModule('node:child_process')
    child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true })
  } catch (error) {
    // Where the system has no process to spare, spawn throws; heard later, like every other end.
    queueMicrotask(() => {
      end(messageOf(error))
    })
    return {
      close() {
        isOver = true
      },
    }
  }
  const { stdout, stderr } = child
  stdout.setEncoding('utf8').on('data', (text: string) => {
    if (!isOver) listener.onText(text)
  })
  stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(0, longestReason)
  })
  // A signal that may not be sent is an error of the child, and a pipe that breaks one of the pipe: neither may end the program.
  for (const part of [child, stdout, stderr]) {
    part.on('error', (error) => {
      if (child.pid === undefined) end(messageOf(error))
    })
  }
  child.on('close', (code, signal) => {
    end(complaint.trim() === '' ? `it ended with ${signal ?? `status ${code}`}` : complaint.trim())
  })
  child.unref()
  for (const pipe of [stdout, stderr]) unrefPipe(pipe)

  return {
    close() {
      if (isOver) return
      isOver = true
      stdout.destroy()
      stderr.destroy()
      child.kill('SIGTERM')
    },
  }
}

/** Pipes are sockets underneath, which their type does not tell. */
function unrefPipe(pipe: object): void {
  if ('unref' in pipe && typeof pipe.unref === 'function') pipe.unref()
}
