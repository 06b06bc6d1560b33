/** The fields of a message of protocol buffers that have a length, by number. https://protobuf.dev/programming-guides/encoding/ */
function fieldsOf(bytes: Buffer): Map<number, Buffer[]> {
  const fields = new Map<number, Buffer[]>()
  let at = 0
  const varint = (): number => {
    let [value, scale, byte] = [0, 1, 0]
    do {
      byte = bytes.readUInt8(at)
      value += (byte & 0x7f) * scale
      scale *= 128
      at += 1
    } while (byte >= 0x80)
    return value
  }
  while (at < bytes.length) {
    const tag = varint()
    const type = tag & 7
    if (type === 0) varint()
    else if (type === 1) at += 8
    else if (type === 5) at += 4
    else if (type === 2) {
      const length = varint()
      if (at + length > bytes.length) throw new Error('a field goes beyond its message')
      const number = Math.floor(tag / 8)
      fields.set(number, [...(fields.get(number) ?? []), bytes.subarray(at, at + length)])
      at += length
    } else throw new Error(`no such type of field: ${type}`)
  }
  return fields
}

/**
 * The names of the metrics in an ExportMetricsServiceRequest.
 * https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/metrics/v1/metrics.proto
 */
export function metricNames(request: Buffer): string[] {
  const resourceMetrics = 1
  const scopeMetrics = 2
  const metrics = 2
  const name = 1
  return [resourceMetrics, scopeMetrics, metrics, name]
    .reduce((messages, field) => messages.flatMap((message) => fieldsOf(message).get(field) ?? []), [request])
    .map(String)
}
