import { known, type Detected, type Surroundings } from './detected.ts'

/** Docker, containerd, CRI-O and Podman take 64 digits, tasks of Fargate 32 and a number. */
const id = String.raw`[\da-f]{64}|[\da-f]{32}-\d{5,20}`

/** The last part of the path, with the name of the runtime before it and `.scope` behind it where systemd keeps the groups. */
const groupOfContainer = new RegExp(String.raw`(?:^|[/:-])(?:[a-z]+-)?(${id})(?:\.scope)?(?:/container)?$`)

/**
 * The files that Docker and Podman mount into a container from its own folder. Those of containerd and CRI-O lie in the folder of the pod's sandbox, whose
 * id is that of no container one looks for.
 */
const folderOfContainer = new RegExp(
  String.raw`/(?:containers|overlay-containers)/(${id})/(?:userdata/)?(?:hostname|hosts|resolv\.conf) `,
)

/**
 * The id of the container that the process runs in: by its control group, or where a namespace hides that, by the files that the runtime mounts.
 * https://man7.org/linux/man-pages/man7/cgroups.7.html, https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html
 */
export function detectContainer({ read }: Surroundings): Detected {
  const group = firstMatch(read('/proc/self/cgroup'), groupOfContainer)
  return known({ 'container.id': group ?? firstMatch(read('/proc/self/mountinfo'), folderOfContainer) })
}

function firstMatch(text: string | undefined, pattern: RegExp): string | undefined {
  for (const line of text?.split('\n') ?? []) {
    const found = pattern.exec(line)?.[1]
    if (found !== undefined) return found
  }
  return undefined
}
