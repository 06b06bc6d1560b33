/** Metrics of devices and of the whole host. */
export const deviceSpecs = {
  hwEnergy: {
    name: 'hw.energy',
    instrument: 'counter',
    unit: 'J',
    help: 'energy of a device since the run began, without PUE; parts of a device that is counted are left out',
    attributes: ['hw.id', 'hw.type', 'hw.name', 'codecarbon.method'],
  },
  hwPower: {
    name: 'hw.power',
    instrument: 'gauge',
    unit: 'W',
    help: 'mean power of a device over the last measurement, without PUE',
    attributes: ['hw.id', 'hw.type', 'hw.name', 'codecarbon.method'],
  },
  hwHostEnergy: {
    name: 'hw.host.energy',
    instrument: 'counter',
    unit: 'J',
    help: 'energy of the whole host by a meter of its own, which holds that of its devices',
    attributes: ['hw.id', 'hw.type', 'hw.name', 'codecarbon.method'],
  },
  hwHostPower: {
    name: 'hw.host.power',
    instrument: 'gauge',
    unit: 'W',
    help: 'mean power of the whole host by a meter of its own over the last measurement',
    attributes: ['hw.id', 'hw.type', 'hw.name', 'codecarbon.method'],
  },
  devicePowerLimit: {
    name: 'codecarbon.device.power.limit',
    instrument: 'gauge',
    unit: 'W',
    help: 'power that a device is made for (TDP) or set to draw at most, where it or its model tells',
    attributes: ['hw.id', 'hw.type', 'hw.name'],
  },
  hwGpuUtilization: {
    name: 'hw.gpu.utilization',
    instrument: 'gauge',
    unit: '1',
    help: 'share of the time in which the graphics processors were busy, in the mean of those that tell',
    attributes: ['hw.id'],
  },
} as const
