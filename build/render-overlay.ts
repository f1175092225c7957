import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ensureTools } from '../test/lab/tools/ensure-tools.ts';

const CNI_CONF = join(import.meta.dirname, '../cni-conf');

/** The ways to install podwire, as folders of cni-conf/overlays. */
export const OVERLAYS = ['bgp', 'policy-only', 'podcidr-routes'] as const;

/** Where an overlay stands as one file. */
export function renderedPath(overlay: string): string {
  return join(CNI_CONF, 'rendered', `${overlay}.yaml`);
}

/** The text that kustomize makes of an overlay, below two lines that say so. */
export async function renderOverlay(overlay: string): Promise<string> {
  const text = await kustomize(join(CNI_CONF, 'overlays', overlay));
  return `# Made by scripts/render-manifests.ts from cni-conf/overlays/${overlay}: change that, not this.\n# Where RBAC is on, apply cni-conf/rbac.yaml first.\n${text}`;
}

/**
 * What `kubectl apply -k` of a folder applies.
 *
 * @throws {Error} with what kustomize says
 */
export async function kustomize(folder: string): Promise<string> {
  const tools = await ensureTools(['kustomize']);
  const { stdout } = await promisify(execFile)(tools.kustomize, ['build', folder], { maxBuffer: 16 * 1024 * 1024 });
  return stdout;
}
