import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import * as resources from '@opentelemetry/resources'
import { describe, expect, it } from 'vitest'
import { runResource, type RunResourceOptions } from '../../../../src/exporters/otel/resource/run-resource.ts'
import { temporaryFolder } from '../../../fixtures/programs/temporary-folder.ts'
import { setVariables } from '../collector.ts'

const containerId = 'c5ed'.repeat(16)
const sandboxId = 'ab01'.repeat(16)
const podUid = '8f2c1a3e-52f1-4f0c-9f4a-1e2d3c4b5a69'

interface Scene extends Partial<RunResourceOptions> {
  /** Files by their path. */
  readonly files?: Readonly<Record<string, string>>
}

/** The resource of a run somewhere. */
function resourceIn({ files = {}, environment = {}, ...options }: Scene): () => Record<string, unknown> {
  const rootPath = temporaryFolder()
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(rootPath, path)), { recursive: true })
    writeFileSync(join(rootPath, path), content)
  }
  const resource = runResource(resources, {
    projectName: 'train',
    runId: 'one',
    place: () => ({}),
    hostName: 'worker-7',
    rootPath,
    environment,
    ...options,
  })
  return () => resource().attributes
}

const attributesIn = (scene: Scene): Record<string, unknown> => resourceIn(scene)()

/** A line of proc_pid_mountinfo(5). */
const mount = (root: string, point: string): string =>
  `612 600 254:1 ${root} ${point} rw,relatime - ext4 /dev/vda1 rw`

describe('the resource of a run', () => {
  it('names service, host, system and process, and no command line', () => {
    const attributes = attributesIn({ files: { 'etc/machine-id': '4c4c4544004a3510\n' } })
    expect(attributes).toMatchObject({
      'service.name': 'train',
      'service.instance.id': 'one',
      'host.name': 'worker-7',
      'host.id': '4c4c4544004a3510',
      'os.type': process.platform === 'win32' ? 'windows' : process.platform,
      'process.pid': process.pid,
      'process.runtime.name': 'nodejs',
      'process.runtime.version': process.versions.node,
      'telemetry.sdk.language': 'nodejs',
    })
    expect(attributes['host.arch']).toMatch(/^[a-z0-9]+$/)
    const names = Object.keys(attributes)
    expect(names.filter((name) => /^(?:process\.command|container|k8s|cloud)/.test(name))).toEqual([])
  })

  it.each([
    [
      'Docker with cgroup v1',
      `12:cpu,cpuacct:/docker/${containerId}\n1:name=systemd:/docker/${containerId}\n`,
    ],
    ['Docker by systemd', `0::/system.slice/docker-${containerId}.scope\n`],
    ['Podman', `0::/machine.slice/libpod-${containerId}.scope/container\n`],
    [
      'containerd on Kubernetes',
      `0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${podUid.replaceAll('-', '_')}.slice/cri-containerd-${containerId}.scope\n`,
    ],
    ['CRI-O', `0::/kubepods.slice/kubepods-pod1.slice/crio-${containerId}.scope\n`],
    ['Kubernetes with cgroup v1', `4:memory:/kubepods/burstable/pod${podUid}/${containerId}\n`],
    ['ECS', `9:perf_event:/ecs/0123456789abcdef0123456789abcdef/${containerId}\n`],
  ])('has the id of the container of %s', (_, cgroup) => {
    expect(attributesIn({ files: { 'proc/self/cgroup': cgroup } })['container.id']).toBe(containerId)
  })

  it('has that of a task of Fargate', () => {
    const task = '438ae52a29c142c4b5e8f2c8f2d4e1a0-1054931853'
    const cgroup = `1:name=systemd:/ecs/438ae52a29c142c4b5e8f2c8f2d4e1a0/${task}\n`
    expect(attributesIn({ files: { 'proc/self/cgroup': cgroup } })['container.id']).toBe(task)
  })

  it.each([
    ['Docker', mount(`/var/lib/docker/containers/${containerId}/hostname`, '/etc/hostname')],
    [
      'Podman',
      mount(
        `/home/ada/.local/share/containers/storage/overlay-containers/${containerId}/userdata/hostname`,
        '/etc/hostname',
      ),
    ],
  ])('has it where a namespace hides the control group, by the mounts of %s', (_, line) => {
    const mountinfo = `${mount('/', '/')}\n${line}\n`
    const files = { 'proc/self/cgroup': '0::/\n', 'proc/self/mountinfo': mountinfo }
    const attributes = attributesIn({ files: { ...files, 'etc/machine-id': 'of the image' } })
    expect(attributes).toMatchObject({ 'container.id': containerId })
    expect(attributes).not.toHaveProperty('host.id')
  })

  it.each([
    ['a service', '0::/system.slice/codecarbon.service\n'],
    ['a session', '0::/user.slice/user-1000.slice/session-3.scope\n'],
    ['nothing', ''],
  ])('has no id of a container in the control group of %s', (_, cgroup) => {
    expect(attributesIn({ files: { 'proc/self/cgroup': cgroup } })).not.toHaveProperty('container.id')
  })

  const inPod = {
    'etc/hosts': '# Kubernetes-managed hosts file.\n127.0.0.1 localhost\n',
    'var/run/secrets/kubernetes.io/serviceaccount/namespace': 'team-a',
    'proc/self/cgroup': '0::/\n',
    'proc/self/mountinfo': [
      mount(`/var/lib/kubelet/pods/${podUid}/etc-hosts`, '/etc/hosts'),
      mount(`/var/lib/kubelet/pods/${podUid}/containers/trainer/5d41402a`, '/dev/termination-log'),
      mount(
        `/var/lib/containerd/io.containerd.grpc.v1.cri/sandboxes/${sandboxId}/resolv.conf`,
        '/etc/resolv.conf',
      ),
    ].join('\n'),
  }

  it('names the pod by what the kubelet mounts, and takes no sandbox for its container', () => {
    const attributes = attributesIn({ files: inPod })
    expect(attributes).toMatchObject({
      'k8s.namespace.name': 'team-a',
      'k8s.pod.name': 'worker-7',
      'k8s.pod.uid': podUid,
      'k8s.container.name': 'trainer',
    })
    expect(attributes).not.toHaveProperty('container.id')
  })

  it('does not call a pod as its node, in whose network it is', () => {
    const hosts = '# Kubernetes-managed hosts file (host network).\n127.0.0.1 localhost\n'
    expect(attributesIn({ files: { ...inPod, 'etc/hosts': hosts } })).not.toHaveProperty('k8s.pod.name')
  })

  it.each([
    ['K8S_NAMESPACE_NAME', 'K8S_POD_NAME', 'K8S_NODE_NAME', 'K8S_POD_UID', 'K8S_CONTAINER_NAME'],
    ['POD_NAMESPACE', 'POD_NAME', 'NODE_NAME', 'POD_UID', 'CONTAINER_NAME'],
    ['MY_POD_NAMESPACE', 'MY_POD_NAME', 'MY_NODE_NAME', 'MY_POD_UID', 'MY_CONTAINER_NAME'],
  ])('takes what the downward API says in %s and its like first', (namespace, pod, node, uid, container) => {
    const environment = {
      [namespace]: 'team-b',
      [pod]: 'pod-b',
      [node]: 'node-b',
      [uid]: 'uid-b',
      [container]: 'container-b',
    }
    expect(attributesIn({ files: inPod, environment })).toMatchObject({
      'k8s.namespace.name': 'team-b',
      'k8s.pod.name': 'pod-b',
      'k8s.node.name': 'node-b',
      'k8s.pod.uid': 'uid-b',
      'k8s.container.name': 'container-b',
    })
  })

  it('takes no such variable for a pod outside of Kubernetes, where others use them', () => {
    const attributes = attributesIn({ environment: { NODE_NAME: 'built-in', POD_NAME: ' ' } })
    expect(Object.keys(attributes).filter((name) => name.startsWith('k8s'))).toEqual([])
  })

  it('names the cloud once the run knows where it is, and its account where variables say it', () => {
    let place = {}
    const environment = { GOOGLE_CLOUD_PROJECT: 'green-project' }
    const resource = resourceIn({ environment, place: () => place })
    expect(resource()).not.toHaveProperty('cloud.provider')
    place = { cloudProvider: 'gcp', cloudRegion: 'europe-west9' }
    expect(resource()).toMatchObject({
      'cloud.provider': 'gcp',
      'cloud.region': 'europe-west9',
      'cloud.account.id': 'green-project',
    })
    const azure = { WEBSITE_OWNER_NAME: '0000-1111+group-westeurope' }
    const onAzure = resourceIn({ environment: azure, place: () => ({ cloudProvider: 'azure' }) })
    expect(onAzure()['cloud.account.id']).toBe('0000-1111')
  })

  it('leaves the last word to OTEL_RESOURCE_ATTRIBUTES', () => {
    setVariables({ OTEL_RESOURCE_ATTRIBUTES: 'k8s.pod.name=mine,cloud.region=here,service.name=theirs' })
    const place = (): object => ({ cloudProvider: 'aws', cloudRegion: 'eu-west-3' })
    expect(attributesIn({ files: inPod, place })).toMatchObject({
      'k8s.pod.name': 'mine',
      'cloud.region': 'here',
      'service.name': 'theirs',
      'cloud.provider': 'aws',
    })
  })
})

describe('OTEL_NODE_RESOURCE_DETECTORS', () => {
  const place = (): object => ({ cloudProvider: 'aws', cloudRegion: 'eu-west-3' })
  const files = { 'proc/self/cgroup': `0::/docker/${containerId}\n` }
  const roomsWith = (detectors: string): string[] => {
    const environment = { OTEL_NODE_RESOURCE_DETECTORS: detectors }
    const names = Object.keys(attributesIn({ environment, place, files }))
    return [...new Set(names.map((name) => name.split('.')[0] ?? ''))].toSorted()
  }
  const always = ['service', 'telemetry']

  it.each([
    ['', ['cloud', 'container', 'host', 'os', 'process']],
    ['all', ['cloud', 'container', 'host', 'os', 'process']],
    ['none', []],
    ['host, os', ['host', 'os']],
    ['container', ['container']],
    ['aws,process', ['cloud', 'process']],
    ['gcp,serviceinstance', []],
  ])('%j looks for that alone', (detectors, rooms) => {
    expect(roomsWith(detectors)).toEqual([...always, ...rooms].toSorted())
  })

  it('with a name that is none is told of', () => {
    const warnings: string[] = []
    attributesIn({
      environment: { OTEL_NODE_RESOURCE_DETECTORS: 'host,instana' },
      warn: (message) => warnings.push(message),
    })
    expect(warnings).toEqual(['OTEL_NODE_RESOURCE_DETECTORS: there is no detector instana here'])
  })
})
