import type { TaskEmissionsData } from '../../core/emissions-data.ts'
import type { Exporter, Report, RunView } from '../../core/exporter.ts'
import { placeFromHere, writeWholeFile } from '../../files/whole-file.ts'
import { doEach } from '../do-each.ts'
import { endedScope, endedTask } from '../ended-task.ts'
import { createTextMetrics } from './text-metrics.ts'

/** node_exporter runs as a user of its own. */
const everybodyReads = 0o644

/** Options of {@link createTextfileExporter}. */
export interface TextfileOptions {
  readonly path: string
  /** Whether metrics have the names of CodeCarbon for Python, too. @default false */
  readonly hasCompatNames?: boolean
  /** Labels of scopes that become labels of metrics. @default [] */
  readonly scopeLabels?: readonly string[] | undefined
}

/**
 * Writes the metrics into a file for the textfile collector of node_exporter
 * (https://github.com/prometheus/node_exporter#textfile-collector), whole, at each report. The file stays when the run has ended;
 * node_exporter tells its age (`node_textfile_mtime_seconds`).
 */
export function createTextfileExporter({
  path,
  hasCompatNames = false,
  scopeLabels,
}: TextfileOptions): Exporter {
  const file = placeFromHere(path)
  const metrics = createTextMetrics(scopeLabels)
  /** What is in the histograms, or in the file, and may come again at the end of the process. */
  const done = new WeakSet<Report | TaskEmissionsData>()
  let look: (() => RunView) | undefined
  let closed = false

  function write(report: Report): void {
    if (closed || look === undefined || done.has(report)) return
    for (const task of report.tasks) {
      if (!done.has(task)) metrics.add(endedTask(task))
      done.add(task)
    }
    writeWholeFile(file, metrics.render(look(), hasCompatNames ? report : undefined), everybodyReads)
    done.add(report)
  }
  return {
    name: 'prometheus_textfile',
    isShared: true,
    open(lookAt) {
      look = lookAt
    },
    onScopes(ended) {
      doEach(ended, (record) => {
        metrics.add(endedScope(record))
      })
    },
    onTick(took) {
      metrics.addTick(took)
    },
    export: write,
    exportSync: write,
    close() {
      closed = true
    },
  }
}
