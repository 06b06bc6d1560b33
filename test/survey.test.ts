import { describe, expect, it } from 'vitest'
import { loadOptions } from '../src/config/load-options.ts'
import { fromCode } from '../src/config/option-source.ts'
import type { GivenOptions } from '../src/config/option-table.ts'
import type { ZoneSource } from '../src/grid/zones/zone-table.ts'
import { surveyMachine } from '../src/survey.ts'
import { fakeMachine } from './tracker/fake-machine.ts'

const nobodyHasZones: ZoneSource = () => ({ why: 'nobody has them', isBroken: false })

describe('a zone without a yearly figure', () => {
  const told = (given: GivenOptions): string[] => {
    const { options } = loadOptions(
      fromCode({ ...fakeMachine().options, electricitymapsZone: 'FR-COR', ...given }),
      { environment: {}, home: undefined, workingDirectory: undefined },
    )
    const survey = surveyMachine(options, undefined, nobodyHasZones)
    for (const probe of survey.detection.probes) probe.close?.()
    return survey.problems.map(({ message }) => message).filter((message) => message.includes('zone'))
  }

  it('is a problem where that is all there is', () => {
    const problem = 'zone "FR-COR" has no yearly figure: nobody has them; that of France is used'
    expect(told({})).toEqual([problem])
    expect(told({ electricitymapsApiToken: 'sk-secret', offline: true })).toEqual([problem])
  })

  it('is none where a live source or a given figure is what counts', () => {
    expect(told({ electricitymapsApiToken: 'sk-secret' })).toEqual([])
    expect(told({ forceCarbonIntensityGCo2eKwh: 20 })).toEqual([])
  })
})
