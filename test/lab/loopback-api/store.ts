/** An object as the API stores it. */
export interface StoredObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly [key: string]: unknown;
  };
  readonly [key: string]: unknown;
}

/** An answer before it is sent. */
export interface Answer {
  readonly status: number;
  readonly body: object;
}

export type Resource = 'pods' | 'nodes';

/** Returns the response to a GET. */
export function readObject(object: StoredObject | undefined, resource: Resource, name: string): Answer {
  return object === undefined ? absent(resource, name) : { status: 200, body: object };
}

/** Returns the response to a JSON Patch of the status subresource, of which it knows `test`, `add` and `remove` of a member. */
export function jsonPatchObject(
  object: StoredObject | undefined,
  resource: Resource,
  name: string,
  patch: unknown,
  version: string,
): Answer & { changed?: StoredObject } {
  if (object === undefined) return absent(resource, name);
  const changed = structuredClone(object);
  for (const operation of Array.isArray(patch) ? patch : [undefined]) {
    const { op, path, value } = objectAt({ operation }, 'operation');
    const keys = String(path)
      .split('/')
      .slice(1)
      .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
    const last = keys.pop() ?? '';
    let parent: unknown = changed;
    for (const key of keys) parent = isObject(parent) ? Reflect.get(parent, key) : undefined;
    const isApplied = isObject(parent) && applyOperation(parent, last, op, value);
    // The words of kube-apiserver 1.36.
    if (!isApplied) return status(422, 'Invalid', 'the server rejected our request due to an error in our request', {});
  }
  const updated = { ...changed, metadata: { ...changed.metadata, resourceVersion: version } };
  return { status: 200, body: updated, changed: updated };
}

/**
 * Returns the response to a PATCH of the status subresource. It merges annotations; uid and resourceVersion must
 * match.
 */
export function patchObject(
  object: StoredObject | undefined,
  resource: Resource,
  name: string,
  patch: unknown,
  version: string,
): Answer & { changed?: StoredObject } {
  if (object === undefined) return absent(resource, name);
  const metadata = objectAt(patch, 'metadata');
  const { uid, resourceVersion } = object.metadata;
  if (metadata['uid'] !== undefined && metadata['uid'] !== uid) {
    return conflict(
      resource,
      name,
      `Precondition failed: UID in precondition: ${JSON.stringify(metadata['uid'])}, UID in object meta: ${uid}`,
    );
  }
  if (metadata['resourceVersion'] !== undefined && metadata['resourceVersion'] !== resourceVersion) {
    return conflict(
      resource,
      name,
      'the object has been modified; please apply your changes to the latest version and try again',
    );
  }
  const merged = new Map<string, string>(Object.entries(object.metadata.annotations ?? {}));
  for (const [key, value] of Object.entries(objectAt(metadata, 'annotations'))) {
    if (value === null) merged.delete(key);
    else if (typeof value === 'string') merged.set(key, value);
    else
      return status(422, 'Invalid', `${resource} "${name}" is invalid: metadata.annotations: not a string`, {
        name,
        kind: resource,
      });
  }
  const changed = {
    ...object,
    metadata: { ...object.metadata, annotations: Object.fromEntries(merged), resourceVersion: version },
  };
  return { status: 200, body: changed, changed };
}

export function unauthorized(): Answer {
  return status(401, 'Unauthorized', 'Unauthorized', {});
}

export function forbidden(account: string, verb: string, resource: string, name: string, namespace: string): Answer {
  const where = namespace === '' ? 'at the cluster scope' : `in the namespace "${namespace}"`;
  const message = `${resource} "${name}" is forbidden: User "${account}" cannot ${verb} resource "${resource}" in API group "" ${where}`;
  return status(403, 'Forbidden', message, { name, kind: resource });
}

/** For a path that it does not serve, the API responds with plain text and not with this Status. */
function absent(resource: string, name: string): Answer {
  return status(404, 'NotFound', `${resource} "${name}" not found`, { name, kind: resource });
}

function conflict(resource: string, name: string, why: string): Answer {
  return status(409, 'Conflict', `Operation cannot be fulfilled on ${resource} "${name}": ${why}`, {
    name,
    kind: resource,
  });
}

function status(code: number, reason: string, message: string, details: object): Answer {
  return {
    status: code,
    body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, details, code },
  };
}

function applyOperation(parent: object, key: string, op: unknown, value: unknown): boolean {
  if (op === 'add') return Reflect.set(parent, key, value);
  if (op === 'remove') return Object.hasOwn(parent, key) && Reflect.deleteProperty(parent, key);
  return op === 'test' && Reflect.get(parent, key) === value;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function objectAt(value: unknown, key: string): Readonly<Record<string, unknown>> {
  const found: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
  return typeof found === 'object' && found !== null ? Object.fromEntries(Object.entries(found)) : {};
}
