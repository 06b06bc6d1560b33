// Fits a line in some epochs as a run of MLflow, which is told energy and emissions of the run and of each epoch.
//
//   pip install mlflow && mlflow server --port 5000
//   MLFLOW_TRACKING_URI=http://127.0.0.1:5000 node examples/trackers/mlflow.mjs
import { EmissionsTracker } from 'codecarbon'
import { createMlflowExporter } from 'codecarbon/mlflow'

if (process.env.MLFLOW_TRACKING_URI === undefined) {
  console.error(
    'Set MLFLOW_TRACKING_URI to the address of an MLflow server, for example http://127.0.0.1:5000 (pip install mlflow && mlflow server --port 5000)',
  )
  process.exit(1)
}

const exporter = createMlflowExporter({ experimentName: 'codecarbon examples', runName: 'a line' })
const tracker = new EmissionsTracker({
  projectName: 'line',
  logLevel: 'warning',
  outputMethods: [],
  measurePowerSecs: 1,
  exporters: [exporter],
}).start()

const points = Array.from({ length: 200_000 }, (_, index) => index / 200_000).map((x) => ({
  x,
  y: 3 * x + 2 + (Math.random() - 0.5) / 10,
}))
const line = { slope: 0, intercept: 0 }
for (let epoch = 1; epoch <= 3; epoch += 1) {
  const task = tracker.startTask(`epoch ${epoch}`)
  for (let pass = 0; pass < 10; pass += 1) fit()
  const { energyConsumed } = task.stop() ?? {}
  const energy = energyConsumed === undefined ? 'unmeasured' : `${(energyConsumed * 3.6e6).toFixed(2)} J`
  console.log(`epoch ${epoch}  y = ${line.slope.toFixed(2)} x + ${line.intercept.toFixed(2)}  ${energy}`)
}
await tracker.stop()
console.log(exporter.place?.() ?? 'Nothing was logged. A server that has just begun answers late: try again')

/** Goes down the gradient, a thousand points at a time. */
function fit() {
  for (let start = 0; start < points.length; start += 1000) {
    let [slope, intercept] = [0, 0]
    for (const { x, y } of points.slice(start, start + 1000)) {
      const error = line.slope * x + line.intercept - y
      slope += error * x
      intercept += error
    }
    line.slope -= slope / 5000
    line.intercept -= intercept / 5000
  }
}
