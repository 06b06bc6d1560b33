import { describe, expect, it } from 'vitest'
import { regionOfResourceAttributes } from '../../../src/grid/locate/resource-attributes.ts'

const regionOf = (text: string): object | undefined =>
  regionOfResourceAttributes({ OTEL_RESOURCE_ATTRIBUTES: text })

describe('resource attributes', () => {
  it.each([
    ['cloud.provider=aws,cloud.region=eu-west-3', 'aws', 'eu-west-3'],
    ['service.name=shop, cloud.provider = gcp , cloud.region = europe-west9 ', 'gcp', 'europe-west9'],
    ['cloud.region=West%20Europe,cloud.provider=azure,cloud.availability_zone=1', 'azure', 'westeurope'],
    ['cloud.provider=AWS,cloud.region=%65u-north-1', 'aws', 'eu-north-1'],
    ['cloud.provider=aws,cloud.availability_zone=us-east-1b', 'aws', 'us-east-1'],
    [
      'cloud.provider=gcp,cloud.region=us-central1,cloud.availability_zone=us-central1-a',
      'gcp',
      'us-central1',
    ],
    ['cloud.provider=aws,cloud.region=us-east-1,cloud.region=us-west-2', 'aws', 'us-west-2'],
    ['nonsense,,=,a=b=c,cloud.provider=aws,cloud.region=eu-west-1', 'aws', 'eu-west-1'],
  ])('%s tell the region', (text, cloudProvider, cloudRegion) => {
    expect(regionOf(text)).toEqual({ cloudProvider, cloudRegion })
  })

  it.each([
    ['', 'there are none'],
    ['cloud.region=eu-west-3', 'the provider is missing'],
    ['cloud.provider=alibaba_cloud,cloud.region=cn-hangzhou', 'the provider has no figures here'],
    ['cloud.provider=constructor,cloud.region=eu-west-3', 'the provider is unknown'],
    ['cloud.provider=aws', 'the region is missing'],
    ['cloud.provider=aws,cloud.region=mars-1', 'the region is unknown'],
    ['cloud.provider=aws,cloud.region=europe-west9', "the region is another provider's"],
    [
      'cloud.provider=aws,cloud.region=eu-west-3,cloud.availability_zone=us-east-1a',
      'region and zone disagree',
    ],
    [
      'cloud.provider=aws,cloud.region=us-east-1,cloud.availability_zone=us-east-1-bue-1a',
      'the zone is elsewhere',
    ],
    ['cloud.provider=aws,cloud.region=eu-west-3,service.name=100%', 'one of them cannot be decoded'],
  ])('%s tell nothing: %s', (text) => {
    expect(regionOf(text)).toBeUndefined()
  })
})
