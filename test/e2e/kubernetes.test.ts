import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse, parseAllDocuments, stringify } from 'yaml'
import { deployFolder } from '../fixtures/operations.ts'

const chart = join(deployFolder, 'helm/codecarbon')
const manifestFile = join(deployFolder, 'kubernetes/codecarbon.yml')

const hasHelm = spawnSync('helm', ['version', '--short']).status === 0
if (!hasHelm) console.log('Skipped: the Helm chart. It needs helm.')
const hasDecoder = spawnSync('kubernetes-objects', { input: '' }).status === 0
if (!hasDecoder) {
  console.log(
    'Skipped: objects of Kubernetes by its own types. It needs test/fixtures/programs/kubernetes-objects, built.',
  )
}

interface KubernetesObject {
  readonly kind: string
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> }
  readonly spec: Record<string, unknown>
}

/** What the chart makes of these values. */
function template(values: object = {}, ...args: readonly string[]): string {
  return execFileSync(
    'helm',
    ['template', 'codecarbon', chart, '--namespace', 'codecarbon', '--values', '-', ...args],
    {
      encoding: 'utf8',
      input: stringify(values),
      stdio: 'pipe',
    },
  )
}

const objectsOf = (text: string): KubernetesObject[] =>
  parseAllDocuments(text).flatMap((document) => (document.toJS() as KubernetesObject | null) ?? [])

/** Labels that Helm's releases have besides. */
const ofRelease = /^(helm\.sh\/chart|app\.kubernetes\.io\/(instance|version|managed-by))$/

const withoutRelease = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withoutRelease)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([key]) => !ofRelease.test(key))
  return Object.fromEntries(entries.map(([key, inner]) => [key, withoutRelease(inner)]))
}

/** As one object may be written in two ways. */
const sorted = (objects: readonly KubernetesObject[]): unknown[] =>
  objects
    .filter(({ kind }) => kind !== 'Namespace')
    .toSorted((one, other) => (one.kind < other.kind ? -1 : 1))
    .map((object) => {
      const { labels, ...metadata } = object.metadata
      const whole = {
        ...object,
        metadata: { ...metadata, ...(object.kind === 'DaemonSet' ? { labels } : {}) },
      }
      return withoutRelease(whole)
    })

/** Values that turn on all that there is. */
const everything = {
  image: { digest: `sha256:${'0'.repeat(64)}`, pullPolicy: 'IfNotPresent' },
  imagePullSecrets: [{ name: 'registry' }],
  options: { country_iso_code: 'FRA', pue: 1.4, measure_power_secs: 5, offline: true },
  extraEnv: [{ name: 'NODE_OPTIONS', value: '--max-old-space-size=64' }],
  extraEnvFrom: [{ secretRef: { name: 'codecarbon' } }],
  otlp: { endpoint: 'http://collector:4318', protocol: 'http/protobuf' },
  nonRoot: { enabled: true, group: 991 },
  nvidia: { enabled: true },
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchExpressions: [{ key: 'energy', operator: 'Exists' }] }],
      },
    },
  },
  priorityClassName: 'system-node-critical',
  podAnnotations: { 'prometheus.io/scrape': 'true' },
  podLabels: { team: 'energy' },
  serviceAccount: { annotations: { note: 'none' } },
  service: { enabled: true, annotations: { note: 'none' } },
  podMonitor: { enabled: true, labels: { release: 'prometheus' }, interval: '15s', scrapeTimeout: '5s' },
}

describe.runIf(hasHelm)('the Helm chart', () => {
  it('has nothing that Helm finds wrong', () => {
    expect(execFileSync('helm', ['lint', '--strict', chart], { encoding: 'utf8' })).toContain(
      '0 chart(s) failed',
    )
  })

  it('makes by itself what deploy/kubernetes has', () => {
    expect(sorted(objectsOf(template()))).toEqual(sorted(objectsOf(readFileSync(manifestFile, 'utf8'))))
  })

  it('makes without root what the patch of deploy/kubernetes does', () => {
    const patch = parse(readFileSync(join(deployFolder, 'kubernetes/non-root.yml'), 'utf8')) as object
    expect(
      objectsOf(template({ nonRoot: { enabled: true } })).find(({ kind }) => kind === 'DaemonSet'),
    ).toMatchObject(patch)
  })

  it('hands options, variables and the address of a Collector on', () => {
    const daemonSet =
      objectsOf(template(everything)).find(({ kind }) => kind === 'DaemonSet') ?? expect.fail('none')
    const { spec } = daemonSet.spec['template'] as {
      spec: { containers: { env: { name: string; value?: string }[]; image: string }[] }
    }
    const env = Object.fromEntries(spec.containers[0]?.env.map(({ name, value }) => [name, value]) ?? [])
    expect(env).toMatchObject({
      ...{ CODECARBON_COUNTRY_ISO_CODE: 'FRA', CODECARBON_PUE: '1.4', CODECARBON_OFFLINE: 'true' },
      ...{
        CODECARBON_OUTPUT_METHODS: 'prometheus_pull,otlp',
        OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318',
      },
      ...{ NODE_OPTIONS: '--max-old-space-size=64', NVIDIA_VISIBLE_DEVICES: 'all' },
    })
    expect(spec.containers[0]?.image).toBe(`codecarbon@${everything.image.digest}`)
  })

  it.each([
    [{ port: 0 }, /\/port/],
    [{ imag: {} }, /imag/],
    [{ options: { prometheus_port: 1 } }, /options\.prometheus_port follows from other values/],
    [{ serviceMonitor: { enabled: true } }, /serviceMonitor\.enabled needs service\.enabled/],
    [{ ...everything, serviceMonitor: { enabled: true } }, /would scrape every pod twice/],
    [{ otlp: { endpoint: 'collector:4318' } }, /\/otlp\/endpoint/],
  ])('refuses values that are wrong: %j', (values, message) => {
    expect(() => template(values)).toThrow(message)
  })
})

describe.runIf(hasDecoder)("by Kubernetes' own types", () => {
  /** Kinds of the objects, or what is wrong with them. */
  const decode = (text: string): { status: number | null; lines: string[] } => {
    const { status, stdout } = spawnSync('kubernetes-objects', { input: text, encoding: 'utf8' })
    return { status, lines: stdout.trim().split('\n') }
  }

  it('the objects are whole', () => {
    expect(decode(readFileSync(manifestFile, 'utf8'))).toEqual({
      status: 0,
      lines: [
        'Namespace *v1.Namespace',
        'ServiceAccount *v1.ServiceAccount',
        'DaemonSet *v1.DaemonSet',
        'NetworkPolicy *v1.NetworkPolicy',
      ],
    })
  })

  it.runIf(hasHelm)('so are those of the chart, with all that there is', () => {
    const { status, lines } = decode(template(everything))
    expect({ status, lines: lines.toSorted() }).toEqual({
      status: 0,
      lines: [
        'DaemonSet *v1.DaemonSet',
        'NetworkPolicy *v1.NetworkPolicy',
        'PodMonitor *v1.PodMonitor',
        'Service *v1.Service',
        'ServiceAccount *v1.ServiceAccount',
      ],
    })
    const { podMonitor, ...others } = everything
    expect(decode(template({ ...others, serviceMonitor: podMonitor })).lines).toContain(
      'ServiceMonitor *v1.ServiceMonitor',
    )
  })

  it.each([
    ['hostPID: false', 'hostPid: false', /unknown field "spec\.template\.spec\.hostPid"/],
    ['containerPort: 12044', 'containerPort: metrics', /containerPort of type int32/],
    [
      'apiVersion: apps/v1',
      'apiVersion: apps/v3',
      /no kind "DaemonSet" is registered for version "apps\/v3"/,
    ],
  ])('a mistake is found: %s is %s', (right, wrong, message) => {
    const { status, lines } = decode(readFileSync(manifestFile, 'utf8').replace(right, wrong))
    expect(status).toBe(1)
    expect(lines.join('\n')).toMatch(message)
  })
})
