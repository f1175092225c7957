import { Client, credentials } from '@grpc/grpc-js';
import protobuf from 'protobufjs/light.js';

/** A sandbox that the container runtime has, whether it runs or not. */
export interface RuntimeSandbox {
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly isReady: boolean;
}

/** What the runtime says about itself. */
export interface RuntimeIdentity {
  /** `containerd 2.4.2`. */
  readonly name: string;
  /** Where it looks for network configurations and plugins, if it says so. */
  readonly folders: { readonly configs: string; readonly programs: readonly string[] } | undefined;
}

/** The Container Runtime Interface of one runtime. Every call ends after `timeoutMs` at the latest, and rejects with an Error that says why. */
export interface CriClient extends Disposable {
  identify(): Promise<RuntimeIdentity>;
  listSandboxes(): Promise<readonly RuntimeSandbox[]>;
}

/**
 * Opens a client on the socket of a container runtime. It connects with the first call.
 *
 * @see https://github.com/kubernetes/cri-api, pkg/apis/runtime/v1/api.proto
 */
export function openCriClient(socketPath: string, timeoutMs: number): CriClient {
  const client = new Client(`unix://${socketPath}`, credentials.createInsecure());
  const call = (method: string, requestType: string, responseType: string, request: object): Promise<unknown> => {
    const [encoder, decoder] = [MESSAGES.lookupType(requestType), MESSAGES.lookupType(responseType)];
    return new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        `/runtime.v1.RuntimeService/${method}`,
        (value: object) => Buffer.from(encoder.encode(encoder.create(value)).finish()),
        (bytes) => decoder.toObject(decoder.decode(bytes), { defaults: true, enums: Number }),
        request,
        { deadline: Date.now() + timeoutMs },
        (error, value) => (error === null ? resolve(value) : reject(error)),
      );
    });
  };
  return {
    async identify() {
      const version = await call('Version', 'VersionRequest', 'VersionResponse', {});
      const status = await call('Status', 'StatusRequest', 'StatusResponse', { verbose: true });
      const name = `${textAt(version, 'runtimeName')} ${textAt(version, 'runtimeVersion').replace(/^v/, '')}`;
      const entries = at(status, 'info');
      const config: unknown = (Array.isArray(entries) ? entries : []).find(
        (entry: unknown) => textAt(entry, 'key') === 'config',
      );
      return { name, folders: foldersIn(textAt(config, 'value')) };
    },
    async listSandboxes() {
      const items = at(await call('ListPodSandbox', 'ListPodSandboxRequest', 'ListPodSandboxResponse', {}), 'items');
      return (Array.isArray(items) ? items : []).map((item: unknown) => ({
        id: textAt(item, 'id'),
        namespace: textAt(at(item, 'metadata'), 'namespace'),
        name: textAt(at(item, 'metadata'), 'name'),
        isReady: at(item, 'state') === 0,
      }));
    },
    [Symbol.dispose]: () => client.close(),
  };
}

// containerd writes its configuration as JSON. Before version 2, `binDirs` was `binDir`.
function foldersIn(config: string): RuntimeIdentity['folders'] {
  try {
    const cni = at(JSON.parse(config), 'cni');
    const configs = textAt(cni, 'confDir');
    const list = at(cni, 'binDirs');
    const programs = Array.isArray(list) ? list.map(String) : [textAt(cni, 'binDir')];
    return configs === '' || programs[0] === '' ? undefined : { configs, programs };
  } catch {
    return undefined;
  }
}

function at(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}

function textAt(value: unknown, key: string): string {
  const text = at(value, key);
  return typeof text === 'string' ? text : '';
}

// The parts of the messages that are used. Others are skipped when a message is decoded.
const MESSAGES = protobuf.Root.fromJSON({
  nested: {
    VersionRequest: { fields: {} },
    VersionResponse: {
      fields: { runtimeName: { type: 'string', id: 2 }, runtimeVersion: { type: 'string', id: 3 } },
    },
    StatusRequest: { fields: { verbose: { type: 'bool', id: 1 } } },
    StatusResponse: { fields: { info: { rule: 'repeated', type: 'InfoEntry', id: 2 } } },
    InfoEntry: { fields: { key: { type: 'string', id: 1 }, value: { type: 'string', id: 2 } } }, // of a map<string, string>
    ListPodSandboxRequest: { fields: {} },
    ListPodSandboxResponse: { fields: { items: { rule: 'repeated', type: 'PodSandbox', id: 1 } } },
    PodSandbox: {
      fields: {
        id: { type: 'string', id: 1 },
        metadata: { type: 'PodSandboxMetadata', id: 2 },
        state: { type: 'uint32', id: 3 },
      },
    },
    PodSandboxMetadata: { fields: { name: { type: 'string', id: 1 }, namespace: { type: 'string', id: 3 } } },
  },
});
