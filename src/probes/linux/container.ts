import { existsSync } from 'node:fs'

/** Whether this process runs in a container, by what Docker, Podman, Kubernetes and systemd-nspawn leave there. */
export function isInContainer(environment: NodeJS.ProcessEnv = process.env): boolean {
  const names = ['KUBERNETES_SERVICE_HOST', 'container']
  const files = ['/.dockerenv', '/run/.containerenv']
  return names.some((name) => (environment[name] ?? '') !== '') || files.some((path) => existsSync(path))
}
