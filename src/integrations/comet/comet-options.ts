import type { Logger } from '../../log.ts'

/** How long things may take, in milliseconds. */
export interface CometTimeouts {
  /** One request. @default 10000 */
  readonly requestMs?: number | undefined
  /** One upload of a file. @default 900000 */
  readonly uploadMs?: number | undefined
  /** The beginning of an experiment, with all attempts. @default 15000 */
  readonly startMs?: number | undefined
  /** The end of an experiment, in which what is left is sent. @default 5000 */
  readonly endMs?: number | undefined
}

/**
 * Options of an experiment. Each is taken from here, else from its `COMET_*` variable, else from `./.comet.config`, else from
 * `~/.comet.config`.
 */
export interface CometOptions {
  /** Key of the API; made at comet.com, Settings, API keys. `COMET_API_KEY` */
  readonly apiKey?: string | undefined
  /** @default the default workspace of the key's owner. `COMET_WORKSPACE` */
  readonly workspace?: string | undefined
  /** @default general. `COMET_PROJECT_NAME` */
  readonly projectName?: string | undefined
  /** `COMET_EXPERIMENT_NAME` */
  readonly experimentName?: string | undefined
  /** Of an experiment to go on with: 32 to 50 letters and digits. `COMET_EXPERIMENT_KEY` */
  readonly experimentKey?: string | undefined
  /** A new experiment, one to go on with, or that where it is there and else a new one. `COMET_START_MODE` @default create, or get_or_create where a key is given */
  readonly mode?: CometMode | undefined
  /** Write an archive to be uploaded later, in place of any connection. `COMET_OFFLINE` @default false */
  readonly offline?: boolean | undefined
  /** Folder of archives. `COMET_OFFLINE_DIRECTORY` @default .cometml-runs */
  readonly offlineDirectory?: string | undefined
  /** `COMET_START_EXPERIMENT_TAGS`, with commas between them */
  readonly tags?: readonly string[] | undefined
  /** Address of the server. `COMET_URL_OVERRIDE` @default https://www.comet.com */
  readonly url?: string | undefined
  readonly timeouts?: CometTimeouts | undefined
  /** Track energy and emissions beside the experiment. `COMET_AUTO_LOG_CO2` @default true */
  readonly autoLogCo2?: boolean | undefined
  /** Tell system, processor, process and Node.js version. `COMET_AUTO_LOG_ENV_DETAILS` @default true */
  readonly autoLogSystem?: boolean | undefined
  /** Tell host and user name among them. `COMET_AUTO_LOG_ENV_HOST` @default true */
  readonly autoLogHost?: boolean | undefined
  /** Where messages go instead of stderr. */
  readonly logger?: Logger | undefined
}

/** How an experiment begins. */
export type CometMode = 'create' | 'get' | 'get_or_create'

/** What a value of the configuration may be. `seconds` are milliseconds inside. */
export type SettingKind =
  | 'text'
  | 'secret'
  | 'header'
  | 'header name'
  | 'level'
  | 'switch'
  | 'mode'
  | 'key'
  | 'address'
  | 'words'
  | 'seconds'
  | 'count'

/** One setting: its names in files with spaces between them, which are those of variables in lower case without `comet_`. */
export interface SettingSpec {
  readonly kind: SettingKind
  readonly names: string
}

/** Settings by the names that they have inside. The first name of each is Comet's, others are those of its Java client. */
export const settingSpecs = {
  apiKey: { kind: 'secret', names: 'api_key' },
  workspace: { kind: 'text', names: 'workspace workspace_name' },
  projectName: { kind: 'text', names: 'project_name' },
  experimentName: { kind: 'text', names: 'experiment_name start_experiment_name' },
  experimentKey: { kind: 'key', names: 'experiment_key' },
  mode: { kind: 'mode', names: 'start_mode' },
  online: { kind: 'switch', names: 'start_online' },
  offline: { kind: 'switch', names: 'offline' },
  offlineDirectory: { kind: 'text', names: 'offline_directory' },
  tags: { kind: 'words', names: 'start_experiment_tags' },
  url: { kind: 'address', names: 'url_override base_url' },
  autoLogCo2: { kind: 'switch', names: 'auto_log_co2' },
  isAutoLogDisabled: { kind: 'switch', names: 'auto_log_disable' },
  autoLogSystem: { kind: 'switch', names: 'auto_log_env_details' },
  autoLogHost: { kind: 'switch', names: 'auto_log_env_host' },
  autoLogCpu: { kind: 'switch', names: 'auto_log_env_cpu' },
  requestMs: { kind: 'seconds', names: 'timeout_http' },
  startMs: { kind: 'seconds', names: 'timeout_api' },
  uploadMs: { kind: 'seconds', names: 'timeout_file_upload' },
  endMs: { kind: 'seconds', names: 'timeout_cleaning' },
  connectTries: { kind: 'count', names: 'max_auth_retries' },
  checksCertificate: { kind: 'switch', names: 'internal_check_tls_certificate' },
  headerName: { kind: 'header name', names: 'allow_header_name' },
  headerValue: { kind: 'header', names: 'allow_header_value' },
  nodeIdentifier: { kind: 'text', names: 'distributed_node_identifier' },
  logFile: { kind: 'text', names: 'logging_file' },
  logFileLevel: { kind: 'level', names: 'logging_file_level' },
} as const

/** Names that settings have inside. */
export type SettingName = keyof typeof settingSpecs

/** Other names that Comet has, for things that nothing is made of here. */
export const otherNames: readonly string[] = [
  'auto_log_env_gpu',
  'auto_log_env_network',
  'auto_log_env_disk',
  'auto_log_git_metadata',
  'auto_log_git_patch',
  'logging_hide_api_key',
  'logging_console',
]
