import { closeSync, fstatSync, openSync, readdirSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { parseHeader, parseRow, type LoggedDomain, type LoggedEnergies } from './power-gadget-log.ts'

/** A log that is being written, read from its end on. */
export interface PowerGadgetFile {
  readonly path: string
  readonly domains: readonly LoggedDomain[]
  /** The last row since the last call; `undefined` where there is no new one. @throws where the file cannot be read */
  latest(): LoggedEnergies | undefined
  close(): void
}

/** The header has some thirty names, a row some thirty numbers. */
const headerBytes = 8192
/** More than comes in a minute of ten rows a second; of what waited longer only the end is read, since energies are cumulative. */
const tailBytes = 256 * 1024

/** The log that was written to last, if that was less than so many milliseconds ago: `PwrData_<time>.csv`, as the program names it. */
export function findLiveLog(folder: string, nowMs: number, withinMs: number): string | undefined {
  let names: readonly string[]
  try {
    names = readdirSync(folder)
  } catch {
    return undefined
  }
  const logs = names.flatMap((name) => {
    if (!/^PwrData.*\.csv$/i.test(name)) return []
    const path = join(folder, name)
    try {
      return [{ path, writtenMs: statSync(path).mtimeMs }]
    } catch {
      // Gone between listing and looking.
      return []
    }
  })
  const [newest] = logs.toSorted((a, b) => b.writtenMs - a.writtenMs)
  return newest !== undefined && nowMs - newest.writtenMs <= withinMs ? newest.path : undefined
}

/** Opens a log. @throws where it cannot be read, or has no energy of a processor */
export function openLog(path: string): PowerGadgetFile {
  const descriptor = openSync(path, 'r')
  try {
    const [header = ''] = textAt(descriptor, 0, headerBytes).split('\n')
    const columns = parseHeader(header)
    const domains = [...columns.values()]
    if (!domains.some(({ kind }) => kind === 'package')) throw new Error(`${path} has no processor energy`)
    let offset = 0
    let rest = ''
    return {
      path,
      domains,
      latest() {
        const { size } = fstatSync(descriptor)
        if (size - offset > tailBytes) {
          offset = size - tailBytes
          rest = ''
        }
        if (size <= offset) return undefined
        const text = rest + textAt(descriptor, offset, size - offset)
        offset = size
        const lines = text.split('\n')
        rest = lines.pop() ?? ''
        for (const line of lines.toReversed()) {
          const row = parseRow(line, columns)
          if (row !== undefined) return row
        }
        return undefined
      },
      close() {
        closeSync(descriptor)
      },
    }
  } catch (error) {
    closeSync(descriptor)
    throw error
  }
}

/** Latin 1, of which every byte is a character: a cut through one loses nothing. */
function textAt(descriptor: number, offset: number, bytes: number): string {
  const buffer = Buffer.alloc(bytes)
  return buffer.toString('latin1', 0, readSync(descriptor, buffer, 0, bytes, offset))
}
