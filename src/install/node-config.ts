import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { fileError, InstallError } from './install-error.ts';
import { renderNetworkConfig, type RenderedConfig } from './netconf-template.ts';
import type { InstallSettings } from './settings.ts';

/**
 * The name of the Kubernetes Node: a pod gets it from the downward API; otherwise it is the host name in lower case.
 */
export function nodeNameOf({ nodeName }: Pick<InstallSettings, 'nodeName'>): string {
  return nodeName ?? hostname().toLowerCase();
}

/** @throws {InstallError} if there is no template, or its file cannot be read */
export async function readTemplate({ template: { path, text } }: Pick<InstallSettings, 'template'>): Promise<string> {
  if (path !== undefined) {
    return readFile(path, 'utf8').catch((cause: unknown) => {
      throw fileError('read the template (CNI_NETWORK_CONFIG_FILE)', path, cause);
    });
  }
  if (text !== undefined) return text;
  throw new InstallError(
    'neither CNI_NETWORK_CONFIG nor CNI_NETWORK_CONFIG_FILE is set: set one of them to the network configuration; cni-conf/ has examples',
  );
}

/**
 * This node's network configuration.
 *
 * @throws {InstallError | CniError} if the template is invalid
 */
export function renderForNode(
  {
    placeholders,
    layout,
    configName,
    kubeconfigName,
  }: Pick<InstallSettings, 'placeholders' | 'layout' | 'configName' | 'kubeconfigName'>,
  template: string,
  { nodeName, token }: { readonly nodeName: string; readonly token: string },
): RenderedConfig {
  const values = {
    ...placeholders,
    KUBERNETES_NODE_NAME: nodeName,
    KUBECONFIG_FILEPATH: join(layout.onNode.configs, kubeconfigName),
    SERVICEACCOUNT_TOKEN: token,
  };
  return renderNetworkConfig(template, values, configName);
}
