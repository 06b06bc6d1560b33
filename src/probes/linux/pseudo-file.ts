import { closeSync, openSync, readSync } from 'node:fs'

/**
 * A small file of procfs or sysfs, kept open. The kernel makes its content anew at every read from position 0, so one descriptor
 * serves for ever, at a fifth of the cost of opening it each time.
 */
export interface PseudoFile {
  readonly path: string
  /** The file as text. @throws the error of the system call */
  text(): string
  /** The file as a whole number; `undefined` where it holds anything else. @throws the error of the system call */
  integer(): number | undefined
  close(): void
}

/** One page: what the kernel gives a read of sysfs at most, and enough of the procfs files read here. */
const buffer = Buffer.allocUnsafe(4096)

/** Opens a file for reading again and again. @throws the error of `open` */
export function openPseudoFile(path: string): PseudoFile {
  let descriptor: number | undefined = openSync(path, 'r')

  function fill(): number {
    if (descriptor === undefined) throw Object.assign(new Error(`${path} was closed`), { code: 'EBADF' })
    return readSync(descriptor, buffer, 0, buffer.length, 0)
  }

  return {
    path,
    text: () => buffer.toString('latin1', 0, fill()),
    integer: () => parseInteger(buffer, fill()),
    close() {
      if (descriptor !== undefined) closeSync(descriptor)
      descriptor = undefined
    },
  }
}

/** Decimal digits, then nothing but white space. Without making a string: this is the hot path of every tick. */
function parseInteger(bytes: Uint8Array, length: number): number | undefined {
  let value = 0
  let at = 0
  for (; at < length; at += 1) {
    const digit = (bytes[at] ?? 0) - 48
    if (digit < 0 || digit > 9) break
    value = value * 10 + digit
  }
  if (at === 0) return undefined
  for (; at < length; at += 1) {
    const byte = bytes[at]
    if (byte !== 10 && byte !== 32 && byte !== 13 && byte !== 0) return undefined
  }
  return value
}

/** The code of a failed system call, such as `EACCES`; `undefined` for any other error. */
export function errnoOf(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
  return typeof code === 'string' ? code : undefined
}

/** True for errors that say "you may not". */
export const isPermission = (error: unknown): boolean => ['EACCES', 'EPERM'].includes(errnoOf(error) ?? '')

/** True for errors that say "it is not there (any more)". */
export const isGone = (error: unknown): boolean =>
  ['ENOENT', 'ENODEV', 'ENXIO', 'ENOTDIR', 'ESRCH'].includes(errnoOf(error) ?? '')
