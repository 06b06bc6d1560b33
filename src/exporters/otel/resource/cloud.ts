import { firstSet, known, type Detected, type Surroundings } from './detected.ts'

/** Where the run takes itself to be. */
export interface CloudPlace {
  readonly cloudProvider?: string | undefined
  readonly cloudRegion?: string | undefined
}

/**
 * The cloud of the run's own place, so that nobody is asked whom the user has not named, with the account where the service names it in its variables:
 * the project of Google (https://cloud.google.com/run/docs/container-contract), the subscription before the plus in App Service
 * (https://learn.microsoft.com/azure/app-service/reference-app-settings).
 */
export function detectCloud(
  { cloudProvider, cloudRegion }: CloudPlace,
  { environment }: Surroundings,
): Detected {
  if (cloudProvider === undefined) return {}
  const accounts: Readonly<Record<string, string | undefined>> = {
    gcp: firstSet(environment, 'GOOGLE_CLOUD_PROJECT', 'GCP_PROJECT'),
    azure: firstSet(environment, 'WEBSITE_OWNER_NAME')?.split('+')[0],
  }
  return known({
    'cloud.provider': cloudProvider,
    'cloud.region': cloudRegion,
    'cloud.account.id': accounts[cloudProvider],
  })
}
