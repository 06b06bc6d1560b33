/**
 * Zones that lie where their region does, by its name and a letter: `us-east-1b`, `us-central1-a`. Those with longer names are elsewhere:
 * `us-east-1-bue-1a` in Buenos Aires (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-regions-availability-zones.html),
 * `us-central1-ai1a` (https://cloud.google.com/compute/docs/regions-zones/ai-zones).
 */
const zones: Readonly<Record<'aws' | 'gcp', RegExp>> = {
  aws: /^([a-z]{2}(?:-[a-z]{2,12}){1,3}-\d{1,2})[a-z]$/,
  gcp: /^([a-z]+(?:-[a-z]+)+\d+)-[a-z]$/,
}

/** The region that a zone is of; `undefined` where the zone is elsewhere, or is none. */
export const regionOfZone = (cloudProvider: 'aws' | 'gcp', zone: string): string | undefined =>
  zones[cloudProvider].exec(zone)?.[1]
