import { exchange, NoAnswer, textOf, type ExchangeOptions } from '../../http/exchange.ts'
import type { Fetched } from '../../http/http-request.ts'
import { parseRetryAfter } from '../../http/retry-after.ts'
import { fieldsOf, parseAnswer } from './json-fields.ts'
import { IntensityUnavailable, unusable, type LiveProvider, type LiveValue } from './provider.ts'

/**
 * Asks a service once.
 * @throws IntensityUnavailable whatever goes wrong; the signal's reason where that broke it off
 */
export async function askProvider(provider: LiveProvider, options: ExchangeOptions): Promise<LiveValue> {
  const { url } = provider
  const headers = { accept: 'application/json', ...provider.headers() }
  try {
    return await exchange({ url, headers }, options, async (response) => {
      if (response.status !== 200) throw refusalOf(response, provider, options.clock.now().wallMs)
      return read(await textOf(response), provider)
    })
  } catch (error) {
    throw error instanceof NoAnswer ? new IntensityUnavailable(error.kind, error.message) : error
  }
}

function read(text: string, provider: LiveProvider): LiveValue {
  const answer = parseAnswer(text, unusable)
  const fields = fieldsOf(answer)
  // Opendatasoft names its errors `error_code`, the others `error`.
  if ('error' in fields || 'error_code' in fields)
    throw unusable('answered with an error in place of a value')
  return provider.parse(answer)
}

function refusalOf(
  { status, headers }: Fetched,
  provider: LiveProvider,
  wallMs: number,
): IntensityUnavailable {
  const http = `(HTTP ${status})`
  const { tokenOption, area } = provider
  if (status >= 300 && status < 400) {
    return new IntensityUnavailable('redirect', `answered with a redirect, which is not followed ${http}`)
  }
  if (tokenOption !== undefined && (status === 401 || status === 403)) {
    const message = `does not accept the token, or not for ${area} ${http}: check ${tokenOption}`
    return new IntensityUnavailable('token refused', message, 'never')
  }
  if (status === 404 || status === 422) {
    return new IntensityUnavailable('unknown place', `does not know ${area} ${http}`, 'rarely')
  }
  if (status === 429 || status === 503) {
    const message = status === 429 ? `was asked too often ${http}` : `is not available at present ${http}`
    const after = parseRetryAfter(headers.get('retry-after'), wallMs)
    return new IntensityUnavailable('too many requests', message, 'soon', after)
  }
  return new IntensityUnavailable('server error', `answered with HTTP ${status}`)
}
