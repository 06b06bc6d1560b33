import { describe, expect, it } from 'vitest'
import { regionOfEnvironment } from '../../../src/grid/locate/environment.ts'

const aws = (cloudRegion: string): object => ({ cloudProvider: 'aws', cloudRegion })
const azure = (cloudRegion: string): object => ({ cloudProvider: 'azure', cloudRegion })
const gcp = (cloudRegion: string): object => ({ cloudProvider: 'gcp', cloudRegion })

describe('the environment of a program', () => {
  it.each([
    [
      'Lambda',
      {
        AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs22.x',
        AWS_REGION: 'eu-west-3',
        AWS_DEFAULT_REGION: 'eu-west-3',
      },
      aws('eu-west-3'),
    ],
    ['Fargate', { AWS_EXECUTION_ENV: 'AWS_ECS_FARGATE', AWS_REGION: 'us-east-1' }, aws('us-east-1')],
    [
      'ECS',
      {
        ECS_CONTAINER_METADATA_URI_V4: 'http://169.254.170.2/v4/1',
        AWS_DEFAULT_REGION: ' EU-North-1 ',
      },
      aws('eu-north-1'),
    ],
    ['App Service', { WEBSITE_SITE_NAME: 'shop', REGION_NAME: 'West Europe' }, azure('west europe')],
    [
      'Container Apps',
      {
        CONTAINER_APP_NAME: 'shop',
        CONTAINER_APP_ENV_DNS_SUFFIX: 'happyhill-70162bb9.canadacentral.azurecontainerapps.io',
      },
      azure('canadacentral'),
    ],
    ['Cloud Run', { K_SERVICE: 'shop', GOOGLE_CLOUD_REGION: 'europe-west10' }, gcp('europe-west10')],
    ['a function', { FUNCTION_NAME: 'shop', FUNCTION_REGION: 'us-central1' }, gcp('us-central1')],
  ])('of %s names its region', (_where, environment, query) => {
    expect(regionOfEnvironment(environment)).toEqual(query)
  })

  it.each([
    ['nothing', {}],
    ['a region that is only where the buckets are', { AWS_REGION: 'us-east-1' }],
    ['a region to deploy to', { FUNCTION_REGION: 'us-central1', REGION_NAME: 'West Europe' }],
    ['a service without its region', { AWS_EXECUTION_ENV: 'AWS_ECS_EC2', K_SERVICE: 'shop' }],
    ['an empty region', { AWS_EXECUTION_ENV: 'AWS_ECS_EC2', AWS_REGION: ' ' }],
    [
      "ECS Anywhere, on the user's own machine",
      {
        AWS_EXECUTION_ENV: 'AWS_ECS_EXTERNAL',
        ECS_CONTAINER_METADATA_URI_V4: 'http://169.254.170.2/v4/1',
        AWS_REGION: 'us-east-1',
      },
    ],
    [
      'an imitation of Lambda',
      { AWS_SAM_LOCAL: 'true', AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs22.x', AWS_REGION: 'us-east-1' },
    ],
    [
      'an imitation of functions',
      { FUNCTIONS_EMULATOR: 'true', K_SERVICE: 'shop', FUNCTION_REGION: 'us-central1' },
    ],
    [
      'two regions',
      { AWS_EXECUTION_ENV: 'AWS_ECS_EC2', AWS_REGION: 'us-east-1', AWS_DEFAULT_REGION: 'eu-west-1' },
    ],
    [
      'two clouds',
      {
        AWS_EXECUTION_ENV: 'AWS_ECS_EC2',
        AWS_REGION: 'us-east-1',
        K_SERVICE: 'shop',
        GOOGLE_CLOUD_REGION: 'us-east1',
      },
    ],
  ])('with %s says nothing', (_what, environment) => {
    expect(regionOfEnvironment(environment)).toBeUndefined()
  })
})
