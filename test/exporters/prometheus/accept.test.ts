import { describe, expect, it } from 'vitest'
import { acceptsGzip, formatFor } from '../../../src/exporters/prometheus/accept.ts'

describe('the format of an answer', () => {
  it.each([
    [undefined, 'text'],
    ['', 'text'],
    ['*/*', 'text'],
    ['text/plain', 'text'],
    ['application/openmetrics-text', 'openmetrics'],
    ['application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1', 'openmetrics'],
    ['text/plain;version=0.0.4;q=0.9, application/openmetrics-text;q=0.5', 'text'],
    ['application/openmetrics-text;q=0', 'text'],
    ['application/openmetrics-text;version=2.0.0', 'text'],
    [
      'application/openmetrics-text;version=2.0.0,application/openmetrics-text;version=1.0.0;q=0.8',
      'openmetrics',
    ],
    ['APPLICATION/OPENMETRICS-TEXT', 'openmetrics'],
    [
      'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;q=0.6,text/plain;q=0.3',
      'text',
    ],
    [`${'x,'.repeat(100_000)}application/openmetrics-text`, 'text'],
    ['application/openmetrics-text;q=abc', 'text'],
  ] as const)('by %j is %s', (accept, format) => {
    expect(formatFor(accept)).toBe(format)
  })

  it.each([
    [undefined, false],
    ['gzip', true],
    ['deflate, gzip;q=0.8', true],
    ['gzip;q=0', false],
    ['br', false],
    ['*', true],
  ] as const)('is zipped for %j: %s', (encoding, isZipped) => {
    expect(acceptsGzip(encoding)).toBe(isZipped)
  })
})
