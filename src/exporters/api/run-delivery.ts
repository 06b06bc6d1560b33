import { ApiRefusal } from '../../codecarbon-api/api-refusal.ts'
import type { AskOptions, CodecarbonApi, OnServer } from '../../codecarbon-api/codecarbon-api.ts'
import type { RunFile } from './run-file.ts'
import { closingSlice, noSums, tell, toEmission, type Amounts, type Emission, type Slice } from './slice.ts'

/** Options of {@link RunDelivery}. */
export interface RunDeliveryOptions {
  readonly file: RunFile
  readonly api: CodecarbonApi
  /** Another process has left it behind, and may have sent more than it could note. */
  readonly isTakenOver: boolean
  /** Told where something is sent once more that may have come already. */
  readonly onMayComeTwice: () => void
}

/**
 * Delivers one run: makes it on the server, then sends its slices one by one. A slice counts as sent when the server says 201. Where nobody knows whether something
 * was carried out, what the server has is read back first.
 */
export class RunDelivery {
  readonly file: RunFile
  readonly #api: CodecarbonApi
  readonly #onMayComeTwice: () => void
  /** Whether the last thing that was sent may have come. */
  #isUncertain: boolean
  #isOver: boolean
  /** Slices that it has sent. */
  sent = 0

  constructor({ file, api, isTakenOver, onMayComeTwice }: RunDeliveryOptions) {
    this.file = file
    this.#api = api
    this.#isUncertain = isTakenOver
    this.#isOver = isTakenOver
    this.#onMayComeTwice = onMayComeTwice
  }

  /** Nothing more will be added. */
  end(): void {
    this.#isOver = true
  }

  /** Whether there is nothing to be sent now. */
  get isIdle(): boolean {
    return this.#next('unknown') === undefined
  }

  /** Slices that are to be sent. */
  get left(): number {
    return this.isIdle ? 0 : Math.max(1, this.file.count)
  }

  /** Whether the server has all of it. */
  get isDone(): boolean {
    return this.#isOver && this.isIdle
  }

  /**
   * Sends the next thing.
   * @returns false where there is nothing to be sent
   * @throws ApiRefusal; the reason of the signal where that broke it off
   */
  async step(how: AskOptions): Promise<boolean> {
    if (this.isIdle) return false
    try {
      const id = this.file.serverId ?? (await this.#makeRun(how))
      if (this.#isUncertain) await this.#readBack(id, how)
      const next = this.#next(id)
      if (next === undefined) return true
      await this.#api.addEmission(next.body, how)
      this.file.noteTold(next.told)
      this.sent += 1
      return true
    } catch (error) {
      this.#isUncertain ||= !(error instanceof ApiRefusal) || error.isUncertain || error.kind === 'unexpected'
      throw error
    }
  }

  /** What goes next: slices that are too short to be told are joined with those after them. */
  #next(id: string): Emission | undefined {
    const { file } = this
    for (;;) {
      const slice = file.first ?? this.#closing()
      if (slice === undefined) return undefined
      const emission = toEmission(id, slice, file.told, this.#isOver && file.count <= 1)
      if (emission !== undefined) return emission
      if (!file.joinOldest()) return undefined
    }
  }

  #closing(): Slice | undefined {
    const { last, told } = this.file
    return this.#isOver && last !== undefined ? closingSlice(last, told) : undefined
  }

  async #makeRun(how: AskOptions): Promise<string> {
    const { run } = this.file.head
    const found = this.#isUncertain ? await this.#findRun(how) : undefined
    const id = found ?? (await this.#api.createRun(run, how))
    // A new run has nothing that could have come before.
    this.#isUncertain = found !== undefined
    this.file.noteServerId(id)
    return id
  }

  /** The run, where it was made after all. */
  async #findRun(how: AskOptions): Promise<string | undefined> {
    const { run } = this.file.head
    const runs = await this.#read(() => this.#api.runsOf(String(run['experiment_id']), how))
    return runs?.find(({ fields }) => isSameMoment(fields['timestamp'], run['timestamp']))?.id
  }

  /** Notes what has come. */
  async #readBack(id: string, how: AskOptions): Promise<void> {
    const { file } = this
    const waiting =
      file.first === undefined ? [this.#closing()].filter((slice) => slice !== undefined) : file.waiting()
    const [first] = waiting
    if (first === undefined) return
    const found = await this.#read(() => this.#api.emissionsOf(id, first.wallMs - 1, how))
    if (found === undefined) this.#onMayComeTwice()
    this.#isUncertain = false
    for (const slice of waiting) {
      const come = found?.find(({ wallMs }) => Math.abs(wallMs - slice.wallMs) < 1)
      if (come !== undefined) file.noteTold(tell(file.told, slice, amountsOf(come)))
    }
  }

  /** @returns `undefined` where the server does not let it be read */
  async #read(ask: () => Promise<readonly OnServer[]>): Promise<readonly OnServer[] | undefined> {
    try {
      return await ask()
    } catch (error) {
      if (error instanceof ApiRefusal && error.kind === 'unreadable') return undefined
      throw error
    }
  }
}

/** The server's own figures: they are what it adds up. */
function amountsOf({ fields }: OnServer): Amounts {
  const amount = (name: string): number => Number(fields[name] ?? noSums.energy)
  return {
    duration: amount('duration'),
    emissions: amount('emissions_sum'),
    cpu: amount('cpu_energy'),
    gpu: amount('gpu_energy'),
    ram: amount('ram_energy'),
    energy: amount('energy_consumed'),
  }
}

/** Both in UTC, of which the server's database says nothing. */
function isSameMoment(a: unknown, b: unknown): boolean {
  const plain = (value: unknown): string => String(value).replace(/(?:Z|\+00:?00)$/, '')
  return plain(a) === plain(b)
}
