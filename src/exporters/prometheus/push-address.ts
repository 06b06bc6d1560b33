import { parseServiceAddress, type Credentials, type ServiceAddress } from '../service-address.ts'

/** Labels that a group of metrics in a Pushgateway is known by, besides its job. */
export type Grouping = Readonly<Record<string, string>>

/**
 * Where to push: an address with or without `http://`, and without a path, below which a group is made of `job` and `grouping`; or that of
 * a group of its own, `https://gateway/metrics/job/nightly/instance/a`, which then counts as it stands.
 */
export function parsePushAddress(
  text: string,
  group: { readonly job: string; readonly grouping: Grouping },
  credentials?: Credentials,
): ServiceAddress {
  const trimmed = text.trim()
  const address = parseServiceAddress(
    /^[a-z][a-z\d+.-]*:\/\//i.test(trimmed) ? trimmed : `http://${trimmed}`,
    credentials,
  )
  const { url } = address
  const path = url.pathname.replace(/\/+$/, '')
  if (!/\/metrics\/job(?:@base64)?\/[^/]/.test(path)) url.pathname = `${path}${groupPath(group)}`
  return address
}

function groupPath({ job, grouping }: { readonly job: string; readonly grouping: Grouping }): string {
  const segments = [['job', job] as const, ...Object.entries(grouping)]
  return `/metrics${segments.map(([name, value]) => segment(name, value)).join('')}`
}

/**
 * A value with a slash, or that is empty, cannot stand in a path as it is: it is written in base64url
 * (https://github.com/prometheus/pushgateway#url). Nor can dots, which a path is shortened by.
 */
function segment(name: string, value: string): string {
  if (value === '') return `/${name}@base64/=`
  if (value.includes('/') || value === '.' || value === '..') {
    return `/${name}@base64/${Buffer.from(value).toString('base64url')}`
  }
  return `/${name}/${encodeURIComponent(value)}`
}
