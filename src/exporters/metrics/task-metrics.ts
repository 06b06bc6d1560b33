/** Metrics of tasks, jobs and requests, and of the units that they make. */
export const taskSpecs = {
  taskEnergy: {
    name: 'codecarbon.task.energy',
    instrument: 'histogram',
    unit: 'J',
    help: 'energy of ended tasks, jobs and requests, with PUE; those that are nested are held by others, too',
    attributes: ['task', 'kind', 'outcome', 'queue', 'attribution', 'nested'],
    buckets: [0.001, 0.01, 0.1, 1, 3, 10, 30, 100, 300, 1000, 3000, 1e4, 1e5, 1e6],
  },
  taskEmissions: {
    name: 'codecarbon.task.emissions',
    instrument: 'histogram',
    unit: 'g',
    help: 'location-based emissions of ended tasks, jobs and requests in CO2 equivalents, with PUE; those that are nested are held by others, too',
    attributes: ['task', 'kind', 'outcome', 'queue', 'attribution', 'nested', 'basis'],
    buckets: [1e-6, 1e-5, 1e-4, 0.001, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 100, 1000],
  },
  taskDuration: {
    name: 'codecarbon.task.duration',
    instrument: 'histogram',
    unit: 's',
    help: 'duration of ended tasks, jobs and requests',
    attributes: ['task', 'kind', 'outcome', 'queue', 'attribution', 'nested'],
    buckets: [0.001, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 1800, 3600, 86_400],
  },
  functionalUnits: {
    name: 'codecarbon.functional_units',
    instrument: 'counter',
    unit: '{unit}',
    help: 'functional units of the SCI that the program has counted',
    attributes: ['unit_name'],
  },
  sci: {
    name: 'codecarbon.sci',
    instrument: 'gauge',
    unit: '{gCO2eq}/{unit}',
    help: 'Software Carbon Intensity of the run so far: grams of CO2 equivalents, operational and embodied, per functional unit',
    attributes: ['unit_name'],
  },
} as const
