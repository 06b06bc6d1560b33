import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, it, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { optionSpecs } from '../../src/config/option-table.ts'
import { toSnakeCase } from '../../src/config/spelling.ts'
import { deployFolder, rulesFile } from '../fixtures/operations.ts'

const files = readdirSync(deployFolder, { recursive: true, encoding: 'utf8' }).filter((name) =>
  /\.[a-z]+$|Dockerfile$/.test(name),
)
const textOf = (file: string): string => readFileSync(join(deployFolder, file), 'utf8')

interface Container {
  readonly env?: readonly { readonly name: string; readonly value?: string }[]
  readonly securityContext: object
  readonly volumeMounts: readonly {
    readonly name: string
    readonly mountPath: string
    readonly readOnly?: boolean
  }[]
}

interface Manifest {
  readonly kind: string
  readonly spec: {
    readonly template: {
      readonly spec: { readonly containers: readonly [Container]; readonly volumes: readonly object[] }
    }
  }
}

const documentsOf = (file: string): unknown[] =>
  parseAllDocuments(textOf(file), { uniqueKeys: true }).map((document) => {
    if ('errors' in document && document.errors.length > 0) throw document.errors[0]
    return document.toJS() as unknown
  })

it.each(files.filter((name) => name.endsWith('.yml')))('%s is YAML', (file) => {
  expect(documentsOf(file)).not.toContain(null)
})

test('only options that there are are set', () => {
  const variables = new Set(optionSpecs.map(([name]) => `CODECARBON_${toSnakeCase(name).toUpperCase()}`))
  const set = files
    .filter((name) => !name.endsWith('.md'))
    .flatMap((file) => textOf(file).match(/CODECARBON_[A-Z][A-Z0-9_]+/g) ?? [])
  expect(set.length).toBeGreaterThan(10)
  expect(set.filter((name) => !variables.has(name))).toEqual([])
})

test('the page names every folder, and every file that it names is there', () => {
  const readme = textOf('README.md')
  for (const folder of readdirSync(deployFolder).filter((name) => !name.includes('.'))) {
    expect(readme).toContain(`| \`${folder}\``)
  }
  const named = readme.match(/[\w-]+(?:\.[\w-]+)*\.(?:yml|service|conf|rules)\b(?!\.)/g) ?? []
  const there = new Set([...files.map((file) => basename(file)), basename(rulesFile)])
  expect(named.length).toBeGreaterThan(5)
  expect(named.filter((name) => !there.has(name))).toEqual([])
})

describe('on Kubernetes', () => {
  const manifests = documentsOf('kubernetes/codecarbon.yml') as Manifest[]
  const pod = manifests.find(({ kind }) => kind === 'DaemonSet')?.spec.template.spec

  it('a pod has no more rights than it needs', () => {
    expect(pod).toMatchObject({
      automountServiceAccountToken: false,
      hostNetwork: false,
      hostPID: false,
      hostIPC: false,
      securityContext: { seccompProfile: { type: 'RuntimeDefault' } },
    })
    expect(pod?.containers.map(({ securityContext }) => securityContext)).toMatchObject([
      {
        privileged: false,
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      },
    ])
    expect(manifests.map(({ kind }) => kind)).not.toContain('ClusterRole')
  })

  it('the node is read where it is mounted, and not written to', () => {
    const [container] = pod?.containers ?? []
    const env = new Map(container?.env?.map(({ name, value }) => [name, value]))
    for (const [volume, variable] of [
      ['proc', 'CODECARBON_PROCFS_PATH'],
      ['sys', 'CODECARBON_SYSFS_PATH'],
    ] as const) {
      expect(pod?.volumes).toContainEqual({
        name: volume,
        hostPath: { path: `/${volume}`, type: 'Directory' },
      })
      expect(container?.volumeMounts).toContainEqual({
        name: volume,
        mountPath: env.get(variable),
        readOnly: true,
      })
    }
  })
})

test('a Collector uses all that it is told of, and nothing else', () => {
  const [collector] = documentsOf('opentelemetry/collector.yml') as Record<string, Record<string, unknown>>[]
  const { receivers, processors, exporters, extensions, service } = collector ?? {}
  const pipelines = service?.['pipelines'] as Record<string, Record<string, string[]>>
  const used = (kind: string): string[] =>
    Object.values(pipelines).flatMap((pipeline) => pipeline[kind] ?? [])
  expect(used('receivers')).toEqual(Object.keys(receivers ?? {}))
  expect(used('processors')).toEqual(Object.keys(processors ?? {}))
  expect(used('exporters')).toEqual(Object.keys(exporters ?? {}))
  expect(service?.['extensions']).toEqual(Object.keys(extensions ?? {}))
})
