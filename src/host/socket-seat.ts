import type { Server, Socket } from 'node:net'
import { messageOf } from '../core/errors.ts'
import type { Seat, SeatOptions } from './seat.ts'

/** Whoever waits beyond these is turned away and asks again: the descriptors of the holder's process are not ours to use up. */
const mostWaiting = 200
/** Between two attempts where the holder turns us away. */
const retryMs = 1000
/** In which those that go first find out that they do, and then the time that they are given. */
const orderMs = 50
const letPassMs = 200
/** Until a seat that could not be taken for another reason than that somebody has it is tried for again. */
const unusableRetryMs = 60_000

/**
 * A seat that the kernel keeps: who listens on the name has it, who waits is connected to whoever does, and both end with their process however that
 * ends. No file is left behind, it works across users, and nobody has to look whether another is still there.
 *
 * On Linux the name is an abstract one (unix(7)), which all processes of a network namespace share; on Windows that of a pipe.
 */
export function takeSocketSeat(options: SeatOptions, platform: NodeJS.Platform = process.platform): Seat {
  const { clock, goesFirst, onChange, onHolder, onUnusable } = options
  // Loading it takes milliseconds, which only those pay that need it, and at once.
  const net = process.getBuiltinModule('node:net')
  const path = pathOf(options.name, platform)
  let server: Server | undefined
  let waiting: Socket | undefined
  const guests = new Set<Socket>()
  let lastHolder: number | undefined
  let isUnusable = false
  let isFirst = true
  let isClosed = false
  let cancelRetry = (): void => undefined

  function retryAfter(delayMs: number, action: () => void): void {
    cancelRetry = clock.after(delayMs, action)
  }

  function sitInTurn(): void {
    if (goesFirst?.() === false) retryAfter(letPassMs, sit)
    else sit()
  }

  function sit(): void {
    if (!isClosed) attempt(listen)
  }

  /** A runtime that allows no sockets may say so at once. */
  function attempt(action: () => void): void {
    try {
      action()
    } catch (error) {
      giveUp(error)
    }
  }

  function listen(): void {
    const candidate = net.createServer(greet)
    candidate.maxConnections = mostWaiting
    candidate.on('error', (error: NodeJS.ErrnoException) => {
      // One that listens goes on doing so, whatever became of a guest.
      if (candidate === server || isClosed) return
      if (error.code === 'EADDRINUSE') attempt(stand)
      else giveUp(error)
    })
    // A worker of a cluster would else be given the handle that all workers share.
    candidate.listen({ path, exclusive: true })
    if (!candidate.listening) return
    candidate.unref()
    server = candidate
    isUnusable = false
    if (!isFirst) onChange()
  }

  /** Another has it: stays connected for as long as that one lives. */
  function stand(): void {
    if (isUnusable) {
      isUnusable = false
      onChange()
    }
    const since = clock.now().monotonic
    const socket = net.connect({ path })
    waiting = socket
    socket.unref()
    // Why it ended says nothing: what counts is that it did.
    socket.on('error', () => undefined)
    socket.once('data', (bytes) => {
      const pid = Number(bytes.toString('latin1', 0, 20).trim())
      if (Number.isInteger(pid) && pid > 0 && pid !== lastHolder) onHolder(pid)
      lastHolder = pid
      socket.resume()
    })
    socket.once('close', () => {
      waiting = undefined
      if (isClosed) return
      const stoodMs = (clock.now().monotonic - since) * 1000
      if (stoodMs < retryMs) retryAfter(retryMs, sitInTurn)
      else if (goesFirst === undefined) sit()
      else retryAfter(orderMs, sitInTurn)
    })
  }

  function greet(guest: Socket): void {
    guests.add(guest)
    guest.unref()
    guest.on('error', () => undefined)
    guest.on('close', () => guests.delete(guest))
    // Who waits has nothing to say.
    guest.on('data', () => guest.destroy())
    guest.write(`${process.pid}\n`)
  }

  function giveUp(error: unknown): void {
    if (!isUnusable) onUnusable(messageOf(error))
    isUnusable = true
    onChange()
    retryAfter(unusableRetryMs, sit)
  }

  sitInTurn()
  isFirst = false
  return {
    get isOurs() {
      return server !== undefined || isUnusable
    },
    close() {
      isClosed = true
      cancelRetry()
      waiting?.destroy()
      // The name is free before those who wait for it hear of it.
      server?.close()
      server = undefined
      for (const guest of guests) guest.destroy()
    },
  }
}

/**
 * `sun_path` has 108 bytes, which an abstract name fills to the last one: some versions of libuv fill a shorter one up with zeros, which makes
 * another name of it.
 */
const pathBytes = 108

const pathOf = (name: string, platform: NodeJS.Platform): string =>
  platform === 'win32' ? `\\\\.\\pipe\\${name}` : `\0${name}`.padEnd(pathBytes, '.')
