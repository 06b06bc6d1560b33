import { closeSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs'

/** What an appended text may depend on. */
export interface FileEnd {
  readonly isEmpty: boolean
  /** Of the file so far, in bytes. */
  readonly size: number
  /** The last line has no end: whoever wrote it was killed. */
  readonly isTorn: boolean
}

/**
 * Appends a text in one write, all or nothing. The cost does not depend on the length of the file. Call it under a lock.
 *
 * @throws the error of the file system; the file is then as it was
 */
export function appendWhole(path: string, textFor: (end: FileEnd) => string): void {
  const file = openSync(path, 'a+')
  try {
    const { size } = fstatSync(file)
    const text = textFor({ size, isEmpty: size === 0, isTorn: size > 0 && byteAt(file, size - 1) !== 10 })
    writeWhole(file, Buffer.from(text), size)
  } finally {
    closeSync(file)
  }
}

/** Writes all or nothing behind what a file has: what a full disk cut short is taken back. */
export function writeWhole(file: number, bytes: Buffer, size: number): void {
  try {
    const written = writeSync(file, bytes)
    if (written === bytes.length) return
    throw Object.assign(new Error('the disk is full'), { code: 'ENOSPC' })
  } catch (error) {
    ftruncateSync(file, size)
    throw error
  }
}

function byteAt(file: number, position: number): number | undefined {
  const byte = Buffer.alloc(1)
  return readSync(file, byte, 0, 1, position) === 1 ? byte[0] : undefined
}
