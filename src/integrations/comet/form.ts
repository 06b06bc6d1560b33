import { randomBytes } from 'node:crypto'
import type { Upload } from '../../http/json-api.ts'

/** A part of a form: a file where it has a name of one. */
export interface FormPart {
  readonly name: string
  readonly fileName?: string
  readonly content: Uint8Array | string
}

/** Puts parts together as `multipart/form-data` (RFC 7578). */
export function toForm(parts: readonly FormPart[]): Upload {
  const boundary = `----codecarbon-${randomBytes(16).toString('hex')}`
  const chunks = parts.flatMap(({ name, fileName, content }) => [
    Buffer.from(`--${boundary}\r\n${headOf(name, fileName)}\r\n\r\n`),
    typeof content === 'string' ? Buffer.from(content) : content,
    Buffer.from('\r\n'),
  ])
  return {
    method: 'POST',
    contentType: `multipart/form-data; boundary=${boundary}`,
    bytes: Buffer.concat([...chunks, Buffer.from(`--${boundary}--\r\n`)]),
  }
}

function headOf(name: string, fileName: string | undefined): string {
  const disposition = `Content-Disposition: form-data; name="${name}"`
  if (fileName === undefined) return `${disposition}\r\nContent-Type: application/json`
  return `${disposition}; filename="${escapeName(fileName)}"\r\nContent-Type: application/octet-stream`
}

/** As browsers write it (HTML Standard, multipart/form-data encoding algorithm). */
const escapeName = (text: string): string =>
  text.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
