import { firstSet, known, type Detected, type Surroundings } from './detected.ts'

const namespaceFile = '/var/run/secrets/kubernetes.io/serviceaccount/namespace'

const uid = String.raw`[\da-f]{8}(?:[-_][\da-f]{4}){3}[-_][\da-f]{12}`
/** The kubelet mounts files of a pod from a folder with its uid, and those of a container from one with its name. */
const folderOfPod = new RegExp(String.raw`/pods/(${uid})/`)
const folderOfContainer = new RegExp(String.raw`/pods/${uid}/containers/([^/\s]+)/`)
/** systemd has no dashes in the names of slices. */
const groupOfPod = new RegExp(String.raw`pod(${uid})(?:\.slice)?(?:/|$)`, 'm')

/**
 * The pod that the process runs in, asking nobody: by the variables that people hand in through the downward API under one of the usual names, and by what
 * the kubelet mounts.
 * https://kubernetes.io/docs/concepts/workloads/pods/downward-api/
 */
export function detectKubernetes({ environment, hostName, read }: Surroundings): Detected {
  const namespace = read(namespaceFile)?.trim()
  const isPod = namespace !== undefined || firstSet(environment, 'KUBERNETES_SERVICE_HOST') !== undefined
  if (!isPod) return {}
  const mounts = read('/proc/self/mountinfo') ?? ''
  const podUid = folderOfPod.exec(mounts)?.[1] ?? groupOfPod.exec(read('/proc/self/cgroup') ?? '')?.[1]
  const given = (...names: readonly string[]): string | undefined => firstSet(environment, ...names)
  return known({
    'k8s.cluster.name': given('K8S_CLUSTER_NAME', 'CLUSTER_NAME'),
    'k8s.namespace.name':
      given('K8S_NAMESPACE_NAME', 'K8S_NAMESPACE', 'POD_NAMESPACE', 'MY_POD_NAMESPACE') ?? namespace,
    'k8s.node.name': given('K8S_NODE_NAME', 'NODE_NAME', 'MY_NODE_NAME'),
    'k8s.pod.name':
      given('K8S_POD_NAME', 'POD_NAME', 'MY_POD_NAME') ??
      (hasOwnNetwork(read('/etc/hosts')) ? hostName : undefined),
    'k8s.pod.uid': given('K8S_POD_UID', 'POD_UID', 'MY_POD_UID') ?? podUid?.replaceAll('_', '-'),
    'k8s.container.name':
      given('K8S_CONTAINER_NAME', 'CONTAINER_NAME', 'MY_CONTAINER_NAME') ??
      folderOfContainer.exec(mounts)?.[1],
  })
}

/**
 * Whether the host is called as the pod, by the first line that the kubelet writes into the file: a pod in the network of its node is called as the node.
 * https://github.com/kubernetes/kubernetes/blob/master/pkg/kubelet/kubelet_pods.go
 */
const hasOwnNetwork = (hosts: string | undefined): boolean =>
  /^# Kubernetes-managed hosts file\.\s*$/m.test(hosts ?? '')
