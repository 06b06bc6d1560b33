import type { WriteStream } from 'node:tty'

/** A terminal that is taken over for a while and given back as it was. */
export interface Screen {
  /** Shows these lines in place of the last ones; what does not fit is cut off. */
  draw(lines: readonly string[]): void
  /** Gives the terminal back. Idempotent. */
  close(): void
}

/** Control sequences of the alternate screen, the cursor, and clearing (ECMA-48; xterm's private modes 25 and 1049). */
const enter = '\u001B[?1049h\u001B[?25l\u001B[2J'
const leave = '\u001B[?25h\u001B[?1049l'
const home = '\u001B[H'
const clearLine = '\u001B[K'
const clearBelow = '\u001B[J'

/** Takes a terminal over: on its alternate screen, so that what stood there before comes back. `onRedraw` is asked for when its size changed. */
export function openScreen(terminal: WriteStream, onRedraw: () => void): Screen {
  let isOpen = true
  let isSuspended = false
  const close = (): void => {
    if (!isOpen) return
    isOpen = false
    terminal.off('resize', onRedraw)
    process.off('exit', close)
    process.off('SIGTSTP', suspend)
    process.off('SIGCONT', resume)
    write(leave)
  }
  // A terminal that has gone away is noticed by the signal that comes with it; writing to it must not end the process.
  const ignore = (): void => undefined
  const write = (text: string): void => {
    try {
      terminal.write(text)
    } catch {
      // As above.
    }
  }
  const suspend = (): void => {
    isSuspended = true
    write(leave)
    // Uncatchable, so that it does what the key is for.
    process.kill(process.pid, 'SIGSTOP')
  }
  const resume = (): void => {
    isSuspended = false
    write(enter)
    onRedraw()
  }
  terminal.on('error', ignore)
  terminal.on('resize', onRedraw)
  // However the process ends, the terminal is given back.
  process.on('exit', close)
  process.on('SIGTSTP', suspend)
  process.on('SIGCONT', resume)
  write(enter)

  return {
    draw(lines) {
      // A timer may come before the signal that says that we go on.
      if (!isOpen || isSuspended) return
      const fitting = lines.slice(0, Math.max(1, terminal.rows - 1))
      write(`${home}${fitting.map((line) => `${line}${clearLine}`).join('\r\n')}${clearBelow}`)
    },
    close,
  }
}
