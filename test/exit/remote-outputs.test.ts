import { expect, it } from 'vitest'
import { startServer } from '../fixtures/local-server.ts'
import { runProgram } from '../fixtures/programs/child.ts'
import { temporaryFolder } from '../fixtures/programs/temporary-folder.ts'

it.each([
  ['after a while', ['PUT', 'POST'], []],
  ['exit', [], ['outputs prometheus, emissions_endpoint: the process ends before stop()']],
])('of a program that ends without stop(), %s, get its figures or are told of', async (way, sent, said) => {
  const { url, requests } = await startServer({})
  const { stderr } = await runProgram('endings.js', [way], {
    folder: temporaryFolder(),
    env: {
      CODECARBON_OUTPUT_METHODS: 'prometheus',
      CODECARBON_PROMETHEUS_URL: url,
      CODECARBON_EMISSIONS_ENDPOINT: `${url}/emissions`,
      CODECARBON_LOG_LEVEL: 'warning',
    },
  })
  expect(requests.map(({ method }) => method).join(' ')).toBe(sent.join(' '))
  expect(stderr.match(/outputs .*before stop\(\)/g) ?? []).toEqual(said)
})
