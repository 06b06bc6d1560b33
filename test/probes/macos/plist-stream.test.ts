import { expect, test } from 'vitest'
import { PlistStream } from '../../../src/probes/macos/plist-stream.ts'

const documents = ['<plist><dict>1</dict></plist>', '<plist>2</plist>', '<plist>3</plist>']

test('documents come out whole, wherever the pipe cuts them', () => {
  const text = documents.join('\n\0')
  for (let size = 1; size <= text.length; size += 1) {
    const stream = new PlistStream()
    const out: string[] = []
    for (let at = 0; at < text.length; at += size) out.push(...stream.push(text.slice(at, at + size)))
    expect(out.map((document) => document.trim())).toEqual(documents)
  }
})

test('a document is there as soon as its end is, without the separator of the next', () => {
  expect(new PlistStream().push('<plist>1</plist>')).toEqual(['<plist>1</plist>'])
})

test('output without an end is not kept for ever', () => {
  const stream = new PlistStream()
  for (let chunk = 0; chunk < 100; chunk += 1) stream.push('x'.repeat(64 * 1024))
  expect(stream.push('</plist>').join('').length).toBeLessThan(4 * 1024 * 1024)
})
