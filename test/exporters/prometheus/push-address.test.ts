import { describe, expect, it } from 'vitest'
import { parsePushAddress } from '../../../src/exporters/prometheus/push-address.ts'

const addressOf = (text: string, instance = 'host-1'): string =>
  parsePushAddress(text, { job: 'codecarbon', grouping: { instance } }).url.href

describe('the address that is pushed to', () => {
  it.each([
    ['localhost:9091', 'http://localhost:9091/metrics/job/codecarbon/instance/host-1'],
    [' gateway ', 'http://gateway/metrics/job/codecarbon/instance/host-1'],
    ['10.0.0.1:9091/', 'http://10.0.0.1:9091/metrics/job/codecarbon/instance/host-1'],
    ['[::1]:9091', 'http://[::1]:9091/metrics/job/codecarbon/instance/host-1'],
    ['https://gateway/push/', 'https://gateway/push/metrics/job/codecarbon/instance/host-1'],
    ['https://gateway?tenant=a', 'https://gateway/metrics/job/codecarbon/instance/host-1?tenant=a'],
  ])('of %s is that of the group of this host', (text, expected) => {
    expect(addressOf(text)).toBe(expected)
  })

  it.each([
    ['gateway:9091/metrics/job/nightly', 'http://gateway:9091/metrics/job/nightly'],
    ['https://gateway/metrics/job/a/instance/b', 'https://gateway/metrics/job/a/instance/b'],
    ['https://gateway/x/metrics/job@base64/YQ', 'https://gateway/x/metrics/job@base64/YQ'],
  ])('is %s as it stands where that is of a group', (text, expected) => {
    expect(addressOf(text)).toBe(expected)
  })

  it.each([
    ['a/b', 'instance@base64/YS9i'],
    ['', 'instance@base64/='],
    ['.', 'instance@base64/Lg'],
    ['..', 'instance@base64/Li4'],
    ['a b?#%ü', 'instance/a%20b%3F%23%25%C3%BC'],
  ])('has an instance of %j as the gateway reads it', (instance, expected) => {
    expect(addressOf('gateway', instance)).toBe(`http://gateway/metrics/job/codecarbon/${expected}`)
  })

  it.each(['ftp://gateway', 'http://', 'not an address', 'unix:///run/gateway'])('cannot be %j', (text) => {
    expect(() => addressOf(text)).toThrow(/^its address is none of the form/)
  })

  it('holds no credentials: those that stood in it, else those that are given, are a header', () => {
    const given = { user: 'grace', password: 'h' }
    const group = { job: 'codecarbon', grouping: {} }
    const inside = parsePushAddress('http://ada:p%40ss@gateway', group, given)
    expect(inside.url.href).toBe('http://gateway/metrics/job/codecarbon')
    expect(inside.headers).toEqual({ authorization: `Basic ${btoa('ada:p@ss')}` })
    expect(parsePushAddress('ada:p@gateway:1', group).headers).toEqual({
      authorization: `Basic ${btoa('ada:p')}`,
    })
    expect(parsePushAddress('gateway', group, given).headers).toEqual({
      authorization: `Basic ${btoa('grace:h')}`,
    })
    expect(parsePushAddress('gateway', group).headers).toEqual({})
  })
})
