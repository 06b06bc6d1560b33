import { spawn, type ChildProcess } from 'node:child_process'

/** Tells the keys of a terminal from signals that somebody sent to this process alone. */
export interface TerminalKeys {
  /** Whether the signal that has just come was sent by a key, to all processes of this terminal's foreground. */
  wasKey(): Promise<boolean>
  close(): void
}

/** A key's signal reaches all processes at once; this is for a machine on its knees. */
const noticeMs = 150

/**
 * Node.js does not tell who sent a signal. A watcher in the same process group, a shell that ends at the first one, does: a key's signal
 * reaches it as well. It ends with this process, whose end closes its input.
 */
export function watchTerminalKeys(): TerminalKeys {
  // A console of Windows gives its keys to all of its processes, and other signals there are none.
  if (process.platform === 'win32') return { wasKey: () => Promise.resolve(true), close: () => undefined }
  let watcher: ChildProcess | undefined = start()

  function start(): ChildProcess {
    const child = spawn('/bin/sh', ['-c', 'trap "exit 0" INT QUIT; read -r _'], {
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    // Without a shell every signal is taken for one of somebody's.
    child.on('error', () => undefined)
    child.stdin.on('error', () => undefined)
    child.unref()
    if ('unref' in child.stdin && typeof child.stdin.unref === 'function') child.stdin.unref()
    return child
  }

  return {
    async wasKey() {
      const child = watcher
      if (child === undefined) return false
      const hasEnded = await endsWithin(child, noticeMs)
      if (hasEnded && watcher === child) watcher = start()
      return hasEnded
    },
    close() {
      watcher?.stdin?.end()
      watcher = undefined
    },
  }
}

function endsWithin(child: ChildProcess, milliseconds: number): Promise<boolean> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(true)
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      child.off('exit', onExit)
      resolve(false)
    }, milliseconds)
    const onExit = (): void => {
      clearTimeout(timer)
      resolve(true)
    }
    child.once('exit', onExit)
  })
}
