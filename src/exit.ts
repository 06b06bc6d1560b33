/** Something that must be saved before the process ends. */
export interface Unsaved {
  /** Called when the process ends by itself, by `process.exit`, by an uncaught error or by a signal that nobody else wants. Must not wait. */
  saveAtExit(): void
  /** Others are saved into it, and come before it. @default false */
  readonly isLast?: boolean
  /** Called when a signal came that somebody else handles: the process may end by it, or go on. */
  saveAtSignal(): void
  /**
   * Called when nothing is left that would keep the process alive, which waits for the promise. Somebody may yet find something to do, and the process go
   * on. Must not reject.
   *
   * @returns whether it worked; who could not send is not asked again, or a service that hangs would keep the process alive for ever
   */
  sendBeforeEnd?(): Promise<boolean>
}

/** Signals that end a process without an `exit` event, unless someone listens. */
const signals: readonly NodeJS.Signals[] =
  process.platform === 'win32' ? ['SIGINT', 'SIGHUP', 'SIGBREAK'] : ['SIGINT', 'SIGTERM', 'SIGHUP']

/** A process that lives so much longer than it seemed to end is another time at its end. */
const liveOnMs = 1000

const unsaved = new Set<Unsaved>()
let isListening = false
/** The uncaught error, or the name of the signal, that ends the process. */
let endedBy: unknown

/** Sees to it that `item` is saved however the process ends (short of SIGKILL), until {@link forget} is called. */
export function saveBeforeEnd(item: Unsaved): void {
  unsaved.add(item)
  if (isListening) return
  isListening = true
  process.on('exit', saveAll)
  process.on('beforeExit', sendAll)
  process.on('uncaughtExceptionMonitor', noteError)
  // In a worker thread these are never called, and do no harm.
  for (const signal of signals) listen(signal)
}

/** The item is saved. When nothing is left to save, no listener is left either. */
export function forget(item: Unsaved): void {
  unsaved.delete(item)
  if (unsaved.size > 0 || !isListening) return
  isListening = false
  process.removeListener('exit', saveAll)
  process.removeListener('beforeExit', sendAll)
  process.removeListener('uncaughtExceptionMonitor', noteError)
  for (const signal of signals) process.removeListener(signal, onSignal)
}

/** What the process fails by, as far as it is known: the uncaught error, else the signal or the exit code in words. Only while something is unsaved. */
export function processFailure(): unknown {
  const { exitCode } = process
  const failure = Number(exitCode ?? 0) === 0 ? undefined : `exit code ${exitCode}`
  return endedBy ?? failure
}

function noteError(error: unknown): void {
  // Somebody else may handle it, and the process go on.
  if (process.listenerCount('uncaughtException') === 0) endedBy = error
}

function saveAll(): void {
  const items = [...unsaved]
  for (const item of items.filter(({ isLast }) => isLast !== true)) item.saveAtExit()
  for (const item of items.filter(({ isLast }) => isLast === true)) item.saveAtExit()
}

/** The end comes again when all is sent. */
function sendAll(): void {
  process.removeListener('beforeExit', sendAll)
  void Promise.all([...unsaved].flatMap((item) => item.sendBeforeEnd?.() ?? [])).then((worked) => {
    if (worked.includes(false)) return
    setTimeout(() => {
      if (isListening && !process.listeners('beforeExit').includes(sendAll)) process.on('beforeExit', sendAll)
    }, liveOnMs).unref()
  })
}

/**
 * First in line and only for one time, so that every other listener finds itself as it would be without us: libraries that count
 * listeners to see whether they are the last one still do what they always did.
 */
function listen(signal: NodeJS.Signals): void {
  process.prependOnceListener(signal, onSignal)
}

function onSignal(signal: NodeJS.Signals): void {
  // The first process of a container is not ended by a signal that nobody listens for.
  if (process.listenerCount(signal) === 0 && process.pid !== 1) {
    endedBy = signal
    saveAll()
    // Nobody else wanted the signal: it does what it would have done.
    process.kill(process.pid, signal)
    return
  }
  // The others decide; if the process goes on, so do we.
  for (const item of [...unsaved]) item.saveAtSignal()
  setImmediate(() => {
    if (isListening) listen(signal)
  })
}
