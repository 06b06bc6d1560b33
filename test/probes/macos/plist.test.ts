import { expect, test } from 'vitest'
import { parsePlist } from '../../../src/probes/macos/plist.ts'

const document = (inside: string): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "a.dtd">\n<plist version="1.0">${inside}</plist>`

test('numbers, text, truth, lists and dictionaries are read, in any nesting', () => {
  const value = parsePlist(
    document(
      '<dict><key>a</key><array><integer>-3</integer><real>1.5e+09</real><true/><false/></array><key>b</key><dict><key>c &amp; d</key><string>x &lt; y</string></dict></dict>',
    ),
  )
  expect(value).toEqual(
    new Map<string, unknown>([
      ['a', [-3, 1.5e9, true, false]],
      ['b', new Map([['c & d', 'x < y']])],
    ]),
  )
})

test('empty lists and dictionaries are read however they are written', () => {
  expect(parsePlist(document('<array><dict/><dict></dict><array/><array></array></array>'))).toEqual([
    new Map(),
    new Map(),
    [],
    [],
  ])
})

test('a key named like a part of every object is a key like others', () => {
  expect(parsePlist(document('<dict><key>__proto__</key><integer>1</integer></dict>'))).toEqual(
    new Map([['__proto__', 1]]),
  )
})

test('an empty number is no number, and not zero', () => {
  expect(parsePlist(document('<array><real></real><integer> </integer></array>'))).toEqual([NaN, NaN])
})

test.each([
  ['nothing', ''],
  ['text', 'powermetrics must be invoked as the superuser\n'],
  ['a document that is cut off', '<plist version="1.0"><dict><key>a</key><dict><key>b</key>'],
  ['a dictionary that is closed as a list', document('<dict></array>')],
  ['a closing tag too many', document('</dict>')],
  ['an element that there is not', document('<array><number>3</number></array>')],
])('%s is no property list', (_, text) => {
  expect(parsePlist(text)).toBeUndefined()
})

test('a hundred thousand dictionaries in each other are no stack overflow', () => {
  const depth = 100_000
  expect(parsePlist(document('<array>'.repeat(depth) + '</array>'.repeat(depth)))).toBeInstanceOf(Array)
})
