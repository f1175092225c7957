import { makeGatedDelegate } from '../delegates/gated-delegate.ts';
import { WEB, type LoopbackNode } from './loopback-node.ts';
import type { RunningExecutable } from '../../lab/run-executable.ts';
import { until } from '../../lab/until.ts';
import { ANNOTATION } from './node-state.ts';

/** An ADD that has stopped at a point. */
export interface PausedAdd {
  readonly running: RunningExecutable;
  /** Lets its delegate continue, if the ADD is paused there. */
  readonly release: () => void;
}

/** Starts an ADD of the pod default/web and waits until it is paused. */
export type Pause = (node: LoopbackNode, sandboxPath: string) => Promise<PausedAdd>;

/**
 * Pauses at the first request of this kind, which the API server does not answer. With `body`, the server has
 * executed the request.
 */
export function pauseAtRequest(method: 'GET' | 'PATCH', path: string, at: 'headers' | 'body' = 'headers'): Pause {
  return async (node, sandboxPath) => {
    await node.api.setFault({ kind: 'stall', at }, { method, times: 1, path });
    const earlier = node.api.requests.length;
    const running = node.start({ verb: 'ADD', sandboxPath });
    const hasCome = () =>
      node.api.requests.slice(earlier).some((request) => request.method === method && request.path.includes(path));
    await until(`${method} ${path}`, hasCome);
    return { running, release: () => undefined };
  };
}

/** Pauses in the delegate, before or after it has allocated an address. */
export function pauseInDelegate(moment: 'before' | 'after'): Pause {
  return async (node, sandboxPath) => {
    const gate = await makeGatedDelegate(node.folder, node.pluginPath, moment);
    const running = node.start({ verb: 'ADD', sandboxPath, pluginPath: gate.folder });
    await gate.arrived;
    return { running, release: () => gate.release() };
  };
}

/** Pauses before the result is printed: the ADD waits for an agent that reports nothing. */
export const pauseAtPolicy: Pause = async (node, sandboxPath) => {
  const config = node.netconf({ policy_setup_timeout_seconds: 60, endpoint_status_dir: node.folder });
  const running = node.start({ verb: 'ADD', sandboxPath, config });
  const isWritten = () =>
    (node.api.pod(WEB.namespace, WEB.name)?.metadata.annotations?.[`${ANNOTATION}podIP`] ?? '') !== '';
  await until('the endpoint is written', isWritten);
  return { running, release: () => undefined };
};
