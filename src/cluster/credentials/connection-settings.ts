import type { Environment } from '../../cni/environment.ts';
import { CniError, ERROR_CODE } from '../../cni/error.ts';
import type { ConnectionSettings } from '../../netconf/network-config.ts';

/** The settings of a command that has no network configuration. */
export const NO_CONNECTION_SETTINGS: ConnectionSettings = {
  datastoreType: undefined,
  kubeconfigPath: undefined,
  apiRoot: undefined,
  token: undefined,
  clientCertificatePath: undefined,
  clientKeyPath: undefined,
  certificateAuthorityPath: undefined,
};

/** The value of a setting, and where it was set. */
export interface ChosenSetting {
  readonly value: string;
  /** For messages: `KUBECONFIG in the environment`. */
  readonly namedBy: string;
}

export type ChosenSettings = { readonly [Key in keyof ConnectionSettings]: ChosenSetting | undefined };

/** Chooses each setting from the network configuration, otherwise from the environment, as Calico's client does. */
export function chooseSettings(settings: ConnectionSettings, environment: Environment): ChosenSettings {
  const choose = (key: keyof ConnectionSettings): ChosenSetting | undefined => {
    const { inConfig, inEnvironment } = NAMES[key];
    const configured = settings[key];
    if (isSet(configured)) return { value: configured, namedBy: `${inConfig} in the network configuration` };
    const value = environment[inEnvironment];
    return isSet(value) ? { value, namedBy: `${inEnvironment} in the environment` } : undefined;
  };
  return {
    datastoreType: choose('datastoreType'),
    kubeconfigPath: choose('kubeconfigPath'),
    apiRoot: choose('apiRoot'),
    token: choose('token'),
    clientCertificatePath: choose('clientCertificatePath'),
    clientKeyPath: choose('clientKeyPath'),
    certificateAuthorityPath: choose('certificateAuthorityPath'),
  };
}

/**
 * Reads whether the environment disables the verification of the server's certificate.
 *
 * @throws {CniError} invalidEnvironment (4) for a value that is neither true nor false: a typo must not disable
 *   verification
 */
export function isVerificationOff(environment: Environment): boolean {
  const value = environment['K8S_INSECURE_SKIP_TLS_VERIFY'];
  if (!isSet(value) || /^(0|f|false)$/i.test(value)) return false;
  if (/^(1|t|true)$/i.test(value)) return true;
  const message = 'K8S_INSECURE_SKIP_TLS_VERIFY in the environment: expected true or false';
  throw new CniError(ERROR_CODE.invalidEnvironment, message, { details: JSON.stringify(value.slice(0, 64)) });
}

/** Undefined and '' both mean that the setting is absent. */
export function isSet(value: string | undefined): value is string {
  return value !== undefined && value !== '';
}

const NAMES = {
  datastoreType: { inConfig: 'datastore_type', inEnvironment: 'DATASTORE_TYPE' },
  kubeconfigPath: { inConfig: 'kubernetes.kubeconfig', inEnvironment: 'KUBECONFIG' },
  apiRoot: { inConfig: 'k8s_api_root', inEnvironment: 'K8S_API_ENDPOINT' },
  token: { inConfig: 'policy.k8s_auth_token', inEnvironment: 'K8S_TOKEN' },
  clientCertificatePath: { inConfig: 'policy.k8s_client_certificate', inEnvironment: 'K8S_CERT_FILE' },
  clientKeyPath: { inConfig: 'policy.k8s_client_key', inEnvironment: 'K8S_KEY_FILE' },
  certificateAuthorityPath: { inConfig: 'policy.k8s_certificate_authority', inEnvironment: 'K8S_CA_FILE' },
} as const satisfies Record<keyof ConnectionSettings, { inConfig: string; inEnvironment: string }>;
