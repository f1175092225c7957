import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { isJsonObject, type JsonObject } from '../../../src/json/json.ts';
import type { ApiClient } from '../../lab/api-server/api-client.ts';
import { memberText } from '../../lab/member.ts';

/** Reads the objects of a manifest of this repository. */
export function readManifest(path: string): readonly JsonObject[] {
  return parseManifest(readFileSync(join(import.meta.dirname, '../../..', path), 'utf8'));
}

/** Reads the template of the network configuration in a folder of cni-conf. */
export function readTemplate(folder: string): string {
  return readFileSync(join(import.meta.dirname, '../../../cni-conf', folder, '10-podwire.conflist'), 'utf8');
}

/** Parses the objects of a manifest in YAML. */
export function parseManifest(text: string): readonly JsonObject[] {
  return parseAllDocuments(text).flatMap((document) => {
    const value: unknown = document.toJS();
    return isJsonObject(value) ? [value] : [];
  });
}

/**
 * Applies each object as `kubectl apply --server-side --validate=strict` does: a field that the API does not know is
 * an error.
 *
 * @param how `try`: a dry run
 */
export async function applyManifest(
  admin: ApiClient,
  objects: readonly JsonObject[],
  how: 'keep' | 'try',
): Promise<void> {
  const options = `fieldManager=test&force=true&fieldValidation=Strict${how === 'try' ? '&dryRun=All' : ''}`;
  for (const object of objects) {
    await admin.request('PATCH', `${pathOf(object)}?${options}`, object, 'application/apply-patch+yaml');
  }
}

function pathOf(object: JsonObject): string {
  const version = memberText(object, 'apiVersion');
  const kind = memberText(object, 'kind');
  const { metadata } = object;
  const namespace =
    isJsonObject(metadata) && metadata['namespace'] !== undefined ? memberText(metadata, 'namespace') : undefined;
  const group = version.includes('/') ? `/apis/${version}` : `/api/${version}`;
  const plural = PLURALS[kind] ?? `${kind.toLowerCase()}s`;
  return `${group}${namespace === undefined ? '' : `/namespaces/${namespace}`}/${plural}/${memberText(metadata, 'name')}`;
}

const PLURALS: Readonly<Record<string, string>> = {
  ValidatingAdmissionPolicy: 'validatingadmissionpolicies',
};

/** A service account of kube-system. */
export function serviceAccount(name: string): JsonObject {
  return { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace: 'kube-system' } };
}

/** A cluster role, and its binding to the service account of the same name in kube-system. */
export function roleOf(name: string, rules: readonly JsonObject[]): readonly JsonObject[] {
  const group = 'rbac.authorization.k8s.io';
  return [
    { apiVersion: `${group}/v1`, kind: 'ClusterRole', metadata: { name }, rules },
    {
      apiVersion: `${group}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: { name },
      roleRef: { apiGroup: group, kind: 'ClusterRole', name },
      subjects: [{ kind: 'ServiceAccount', name, namespace: 'kube-system' }],
    },
  ];
}
