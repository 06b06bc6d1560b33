/**
 * Path below `/api/2.0/` to which a file of a run is sent where the tracking server hands files on (`mlflow-artifacts:`, MLflow, Artifact Stores); `undefined`
 * where files of the run are elsewhere, for which other credentials are needed.
 */
export function artifactPath(artifactUri: string, serverUrl: string, name: string): string | undefined {
  const folder = folderOf(artifactUri, serverUrl)
  if (folder === undefined || folder.includes('..')) return undefined
  const parts = [...folder.split('/'), name].filter((part) => part !== '').map(encodeURIComponent)
  return `${service}/${parts.join('/')}`
}

const service = 'mlflow-artifacts/artifacts'

function folderOf(artifactUri: string, serverUrl: string): string | undefined {
  const [, host, path] = /^mlflow-artifacts:(?:\/\/([^/]*))?(\/.*)$/.exec(artifactUri) ?? []
  // Another server is somebody else, who is not to be given these credentials.
  if (path !== undefined && (host === undefined || host === '' || host === new URL(serverUrl).host))
    return path
  const proxied = `${serverUrl}/api/2.0/${service}/`
  return artifactUri.startsWith(proxied) ? artifactUri.slice(proxied.length) : undefined
}
