import { Server, ServerCredentials } from '@grpc/grpc-js';
import protobuf from 'protobufjs/light.js';

/** What the runtime reports. */
export interface CriServerOptions {
  readonly configs: string;
  readonly programs: string;
  readonly sandboxes: () => readonly { readonly id: string; readonly namespace: string; readonly name: string }[];
}

export interface CriServer extends AsyncDisposable {
  readonly socketPath: string;
}

/**
 * Starts a server that answers the questions that podwire asks a container runtime, on a Unix socket.
 *
 * @see https://github.com/kubernetes/cri-api, pkg/apis/runtime/v1/api.proto
 */
export async function startCriServer(
  socketPath: string,
  { configs, programs, sandboxes }: CriServerOptions,
): Promise<CriServer> {
  const server = new Server();
  const answers = {
    Version: () => ({
      version: '0.1.0',
      runtimeName: 'test-runtime',
      runtimeVersion: 'v1.0.0',
      runtimeApiVersion: 'v1',
    }),
    Status: () => ({
      info: [{ key: 'config', value: JSON.stringify({ cni: { confDir: configs, binDirs: [programs] } }) }],
    }),
    ListPodSandbox: () => ({
      items: sandboxes().map(({ id, namespace, name }) => ({ id, state: 0, metadata: { namespace, name } })),
    }),
  } as const;
  const method = (name: keyof typeof answers) => {
    const type = MESSAGES.lookupType(name);
    return {
      path: `/runtime.v1.RuntimeService/${name}`,
      requestStream: false,
      responseStream: false,
      requestSerialize: (value: Buffer) => value,
      requestDeserialize: (bytes: Buffer) => bytes,
      responseSerialize: (value: object) => Buffer.from(type.encode(type.fromObject(value)).finish()),
      responseDeserialize: (bytes: Buffer) => type.decode(bytes),
    };
  };
  const names = ['Version', 'Status', 'ListPodSandbox'] as const;
  server.addService(
    Object.fromEntries(names.map((name) => [name, method(name)])),
    Object.fromEntries(
      names.map((name) => [
        name,
        (_call: unknown, respond: (error: null, value: object) => void) => respond(null, answers[name]()),
      ]),
    ),
  );
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix://${socketPath}`, ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    );
  });
  return { socketPath, [Symbol.asyncDispose]: async () => server.forceShutdown() };
}

const MESSAGES = protobuf.Root.fromJSON({
  nested: {
    Version: {
      fields: {
        version: { type: 'string', id: 1 },
        runtimeName: { type: 'string', id: 2 },
        runtimeVersion: { type: 'string', id: 3 },
        runtimeApiVersion: { type: 'string', id: 4 },
      },
    },
    Status: { fields: { info: { rule: 'repeated', type: 'InfoEntry', id: 2 } } },
    InfoEntry: { fields: { key: { type: 'string', id: 1 }, value: { type: 'string', id: 2 } } },
    ListPodSandbox: { fields: { items: { rule: 'repeated', type: 'PodSandbox', id: 1 } } },
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
