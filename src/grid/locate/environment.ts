import type { PlaceQuery } from '../place.ts'

/** Where a provider's services tell the region by variables, and how to know that this is one of them. */
interface Hints {
  readonly cloudProvider: string
  readonly isHere: (environment: NodeJS.ProcessEnv) => boolean
  readonly region: (environment: NodeJS.ProcessEnv) => (string | undefined)[]
}

const has = (environment: NodeJS.ProcessEnv, ...names: readonly string[]): boolean =>
  names.some((name) => (environment[name] ?? '') !== '')

/**
 * A region alone says nothing: people set `AWS_REGION` on a laptop to say where their buckets are. What is set by the service itself says
 * that this machine is one of the provider's.
 * - AWS: `AWS_REGION` of Lambda (https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html), of ECS and Fargate
 *   (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint.html) and what is made of them. Tasks of ECS
 *   Anywhere run on the user's own machines.
 * - Azure: `REGION_NAME` of App Service (https://learn.microsoft.com/azure/app-service/reference-app-settings), the domain of Container
 *   Apps (https://learn.microsoft.com/azure/container-apps/environment-variables), which holds the region
 * - GCP: `FUNCTION_REGION` of the older functions, and what people hand to Cloud Run, which gives none of its own
 *   (https://cloud.google.com/run/docs/container-contract)
 */
const hints: readonly Hints[] = [
  {
    cloudProvider: 'aws',
    isHere: (environment) => {
      const executedBy = environment['AWS_EXECUTION_ENV'] ?? ''
      if (executedBy === 'AWS_ECS_EXTERNAL') return false
      return (
        /^(?:AWS_ECS_|AWS_Lambda_|CloudShell$)/.test(executedBy) ||
        has(environment, 'ECS_CONTAINER_METADATA_URI_V4', 'ECS_CONTAINER_METADATA_URI')
      )
    },
    region: (environment) => [environment['AWS_REGION'], environment['AWS_DEFAULT_REGION']],
  },
  {
    cloudProvider: 'azure',
    isHere: (environment) => has(environment, 'WEBSITE_SITE_NAME', 'CONTAINER_APP_NAME'),
    region: (environment) => [
      environment['REGION_NAME'],
      /\.([a-z0-9]+)\.azurecontainerapps\.io$/.exec(environment['CONTAINER_APP_ENV_DNS_SUFFIX'] ?? '')?.[1],
    ],
  },
  {
    cloudProvider: 'gcp',
    isHere: (environment) =>
      has(environment, 'K_SERVICE', 'CLOUD_RUN_JOB', 'FUNCTION_NAME', 'FUNCTION_TARGET'),
    region: (environment) => [environment['GOOGLE_CLOUD_REGION'], environment['FUNCTION_REGION']],
  },
]

/** What imitates a provider's service on another machine. */
const imitations = ['AWS_SAM_LOCAL', 'LOCALSTACK_HOSTNAME', 'IS_OFFLINE', 'FUNCTIONS_EMULATOR']

/**
 * The region that a cloud's service names in the environment of its programs. `undefined` where there is none, where it is only imitated,
 * or where the variables contradict each other.
 */
export function regionOfEnvironment(environment: NodeJS.ProcessEnv): PlaceQuery | undefined {
  if (has(environment, ...imitations)) return undefined
  const found = hints
    .filter(({ isHere }) => isHere(environment))
    .flatMap(({ cloudProvider, region }) =>
      region(environment)
        .map((name) => name?.trim().toLowerCase())
        .filter((name) => name !== undefined && name !== '')
        .map((cloudRegion) => ({ cloudProvider, cloudRegion })),
    )
  const [first] = found
  const isOne = found.every(
    ({ cloudProvider, cloudRegion }) =>
      cloudProvider === first?.cloudProvider && cloudRegion === first?.cloudRegion,
  )
  return isOne ? first : undefined
}
