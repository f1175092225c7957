import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { CniError, ERROR_CODE } from '../cni/error.ts';
import { fileFailure } from './file-failure.ts';
import { renderNetworkConfig, type RenderedConfig } from './netconf-template.ts';
import type { InstallSettings } from './settings.ts';

/** The Node's name: a pod knows it by the downward API, a person by the host name. */
export function nodeNameOf({ nodeName }: Pick<InstallSettings, 'nodeName'>): string {
  return nodeName ?? hostname().toLowerCase();
}

/** @throws {CniError} 7 when there is no template, 5 when its file cannot be read */
export async function readTemplate({ template: { path, text } }: Pick<InstallSettings, 'template'>): Promise<string> {
  if (path !== undefined) {
    return readFile(path, 'utf8').catch((cause: unknown) => {
      throw fileFailure('read the template (CNI_NETWORK_CONFIG_FILE)', path, cause);
    });
  }
  if (text !== undefined) return text;
  throw new CniError(
    ERROR_CODE.invalidConfig,
    'neither CNI_NETWORK_CONFIG nor CNI_NETWORK_CONFIG_FILE is set: one of them gives the network configuration; cni-conf/ has some',
  );
}

/**
 * This node's network configuration.
 *
 * @throws {CniError} 7
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
