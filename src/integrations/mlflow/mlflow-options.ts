import type { Logger } from '../../log.ts'

/** Options of a run of MLflow. Each is taken from here, else from its `MLFLOW_*` variable. */
export interface MlflowOptions {
  /** Address of the tracking server, http or https. `MLFLOW_TRACKING_URI` */
  readonly trackingUri?: string | undefined
  /** Run that is added to. `MLFLOW_RUN_ID` @default a run of its own */
  readonly runId?: string | undefined
  /** Make a run of its own below that one. `MLFLOW_NESTED_RUN`, which is that of Hugging Face Transformers @default false */
  readonly nested?: boolean | undefined
  /** Of a run of its own; made where it is not there. `MLFLOW_EXPERIMENT_NAME` @default that of the run above, else Default */
  readonly experimentName?: string | undefined
  /** The same by its id, which counts where both are given. `MLFLOW_EXPERIMENT_ID` */
  readonly experimentId?: string | undefined
  /** Of a run of its own. @default the name of the project */
  readonly runName?: string | undefined
  /** For basic authentication. `MLFLOW_TRACKING_USERNAME`, else in `~/.mlflow/credentials` */
  readonly username?: string | undefined
  /** `MLFLOW_TRACKING_PASSWORD`, else in `~/.mlflow/credentials` */
  readonly password?: string | undefined
  /** Bearer token, where user name and password are not given. `MLFLOW_TRACKING_TOKEN` */
  readonly token?: string | undefined
  /** Do not check the server's certificate. `MLFLOW_TRACKING_INSECURE_TLS` @default false */
  readonly insecureTls?: boolean | undefined
  /** File of certificates (PEM) to know the server by. `MLFLOW_TRACKING_SERVER_CERT_PATH` */
  readonly serverCertPath?: string | undefined
  /** File with certificate and key (PEM) of the client. `MLFLOW_TRACKING_CLIENT_CERT_PATH` */
  readonly clientCertPath?: string | undefined
  /** For one request, in milliseconds. @default 4000 */
  readonly requestMs?: number | undefined
  /** Where messages go instead of stderr. */
  readonly logger?: Logger | undefined
}

/** What a value may be. */
export type SettingKind = 'text' | 'secret' | 'switch' | 'id' | 'milliseconds'

/** One setting and the variable that it is read from. */
export interface SettingSpec {
  readonly kind: SettingKind
  readonly variable?: string
}

/** Settings by their names in code. Variables and their values are those of MLflow's own client. */
export const settingSpecs = {
  trackingUri: { kind: 'text', variable: 'MLFLOW_TRACKING_URI' },
  runId: { kind: 'id', variable: 'MLFLOW_RUN_ID' },
  nested: { kind: 'switch', variable: 'MLFLOW_NESTED_RUN' },
  experimentName: { kind: 'text', variable: 'MLFLOW_EXPERIMENT_NAME' },
  experimentId: { kind: 'id', variable: 'MLFLOW_EXPERIMENT_ID' },
  runName: { kind: 'text' },
  username: { kind: 'secret', variable: 'MLFLOW_TRACKING_USERNAME' },
  password: { kind: 'secret', variable: 'MLFLOW_TRACKING_PASSWORD' },
  token: { kind: 'secret', variable: 'MLFLOW_TRACKING_TOKEN' },
  insecureTls: { kind: 'switch', variable: 'MLFLOW_TRACKING_INSECURE_TLS' },
  serverCertPath: { kind: 'text', variable: 'MLFLOW_TRACKING_SERVER_CERT_PATH' },
  clientCertPath: { kind: 'text', variable: 'MLFLOW_TRACKING_CLIENT_CERT_PATH' },
  requestMs: { kind: 'milliseconds' },
} as const

/** Names of settings in code. */
export type SettingName = keyof typeof settingSpecs
