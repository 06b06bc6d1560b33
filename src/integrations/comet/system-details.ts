import { arch, cpus, hostname, platform, release, type, userInfo, version } from 'node:os'
import type { CometSettings } from './load-settings.ts'
import type { SystemDetails } from './message.ts'

/** What of it is told. */
export type SystemSettings = Pick<CometSettings, 'autoLogHost' | 'autoLogCpu' | 'nodeIdentifier'>

/**
 * System, processor, process and version of Node.js, and host and user name unless they are turned off. Neither the command line nor the
 * environment, which may hold secrets.
 */
export function systemDetails({ autoLogHost, autoLogCpu, nodeIdentifier }: SystemSettings): SystemDetails {
  const processor = autoLogCpu ? cpus()[0]?.model.trim() : undefined
  return {
    os: version(),
    osType: type(),
    osRelease: release(),
    machine: arch(),
    pid: process.pid,
    executable: process.execPath,
    pythonVersion: `node ${process.version}`,
    ...(processor === undefined || processor === '' ? {} : { processor }),
    ...(autoLogHost ? hostDetails() : {}),
    more: {
      platform: platform(),
      ...(nodeIdentifier === undefined ? {} : { distributed_node_identifier: nodeIdentifier }),
    },
  }
}

function hostDetails(): SystemDetails {
  try {
    return { hostname: hostname(), user: userInfo().username }
  } catch {
    // A user whom the system does not know, as in a container, has no name.
    return { hostname: hostname() }
  }
}
