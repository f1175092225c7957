import { VERBS } from '../cni/environment.ts';
import { CniError, ERROR_CODE } from '../cni/error.ts';
import { isJsonList, tryParseJsonObject } from '../json/json.ts';
import { parseResult, type CniResult } from '../cni/result.ts';
import { SUPPORTED_VERSIONS } from '../cni/versions.ts';
import type { Attachment } from '../plan/attachment.ts';
import type { Delegation } from '../plan/delegation.ts';
import { findDelegate } from './find-delegate.ts';
import { endOrphanedRun, type KillProcess } from './orphaned-run.ts';
import { leaseFolder, readLeases, removeLeases, type LeaseFile, type TryLock } from './host-local-leases.ts';
import { startDelegate, type DelegateExit, type StartedDelegate } from './run-delegate.ts';
import { loadBuiltin } from '../system/node-process.ts';
import type { StartProgram } from '../system/program.ts';
import { messageOf } from '../system/error-text.ts';

/** The parts of an attachment that the IPAM plugin's environment names. */
type DelegateTarget = Pick<Attachment, 'id' | 'sandboxPath' | 'cniArgs'>;

/** The same for a lease that exists already, or may exist. */
type LeasedAttachment = DelegateTarget & Pick<Attachment, 'release'>;

/** The IPAM plugin. */
export interface Delegate {
  /**
   * Starts the program for an ADD, before any change that only the program could undo: it takes longer to start than to allocate. It does
   * nothing until {@link add} gives it its configuration. Disposing of it ends it, if it never got that.
   *
   * @throws {CniError} delegateFailed (102) if it cannot be found or started
   */
  prepareAdd(type: string, target: DelegateTarget): StartedDelegate;
  /** @param prepared a run that has been started and not been used */
  add(
    delegation: Delegation,
    target: DelegateTarget,
    signal?: AbortSignal,
    prepared?: StartedDelegate,
  ): Promise<CniResult>;
  check(attachment: LeasedAttachment, signal?: AbortSignal): Promise<void>;
  /** Releases the lease. Also succeeds if there is nothing to release. */
  del(attachment: LeasedAttachment, signal?: AbortSignal): Promise<void>;
  /**
   * Ends the program that a killed ADD has left running. The caller must know that this ADD no longer runs.
   *
   * @throws {CniError} tryAgainLater if it runs in another PID namespace and does not end
   */
  endOrphaned(attachment: Pick<Attachment, 'id' | 'release'>): Promise<void>;
  /** The leases of this network, in any order; none if the plugin is not host-local. */
  readLeases(delegation: Delegation): readonly LeaseFile[];
  /**
   * Removes leases of host-local, under its own lock.
   *
   * @throws {CniError} tryAgainLater if host-local keeps its lock
   */
  removeLeases(delegation: Delegation, choose: (lease: LeaseFile) => Promise<boolean>): Promise<readonly LeaseFile[]>;
  /** Calls GC or STATUS. Succeeds if the plugin fails because it does not support the CNI version that defines them. */
  forward(verb: 'GC' | 'STATUS', delegation: Delegation, signal?: AbortSignal): Promise<void>;
}

/** What a call is for, and what may end it. */
interface Call {
  readonly target?: DelegateTarget | undefined;
  readonly signal: AbortSignal | undefined;
  readonly prepared?: StartedDelegate | undefined;
}

type Verb = 'ADD' | 'CHECK' | 'DEL' | 'GC' | 'STATUS' | 'VERSION';

/**
 * @param environment the environment of this command. The delegate inherits it, except for the variables of the
 *   attachment.
 * @param pluginPath the folders of CNI_PATH
 * @param budgetMs for one run; a program that takes longer is killed
 * @see SPEC.md 1.1.0, section 4, Execution of Delegated Plugins
 */
export function openDelegate({
  environment,
  pluginPath,
  budgetMs,
  startProgram,
  killProcess,
  tryLock,
}: {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly pluginPath: readonly string[];
  readonly budgetMs: number;
  readonly startProgram: StartProgram;
  readonly killProcess: KillProcess;
  readonly tryLock: TryLock;
}): Delegate {
  const start = (verb: Verb, type: string, target?: DelegateTarget): StartedDelegate => {
    const variables = { ...environment, ...(target && variablesOf(target)), CNI_COMMAND: verb };
    return startDelegate({ path: findDelegate(type, pluginPath), environment: variables }, startProgram);
  };
  const run = async (verb: Verb, { type, config }: Delegation, { target, signal, prepared }: Call) => {
    using started = prepared ?? start(verb, type, target);
    return { path: started.path, exit: await started.finish({ stdin: JSON.stringify(config), budgetMs, signal }) };
  };
  const readVersions = async (delegation: Delegation, signal?: AbortSignal): Promise<readonly unknown[]> => {
    const supported = tryParseJsonObject((await run('VERSION', delegation, { signal })).exit.stdout)?.[
      'supportedVersions'
    ];
    return supported !== undefined && isJsonList(supported) ? supported : [];
  };
  const call = async (verb: Verb, delegation: Delegation, how: Call): Promise<string> => {
    const { path, exit } = await run(verb, delegation, how);
    const error = parseFailure(path, exit);
    if (error === undefined) return exit.stdout;
    if (error.code !== ERROR_CODE.incompatibleVersion) throw error;
    const { target, signal } = how;
    const supported = await readVersions(delegation, signal);
    const cniVersion = SUPPORTED_VERSIONS.findLast((version) => supported.includes(version));
    if (cniVersion === undefined || cniVersion === delegation.config['cniVersion']) throw error;
    return call(verb, { ...delegation, config: { ...delegation.config, cniVersion } }, { target, signal });
  };

  return {
    prepareAdd: (type, target) => start('ADD', type, target),
    async add(delegation, target, signal, prepared) {
      return parseDelegateResult(delegation, await call('ADD', delegation, { target, signal, prepared }));
    },
    async check(attachment, signal) {
      await call('CHECK', attachment.release, { target: attachment, signal });
    },
    async del(attachment, signal) {
      await call('DEL', attachment.release, { target: attachment, signal });
    },
    endOrphaned: ({ id, release }) => endOrphanedRun(release.type, id, killProcess),
    readLeases(delegation) {
      const folder = leaseFolder(delegation);
      return folder === undefined ? [] : readLeases(folder);
    },
    async removeLeases(delegation, choose) {
      const folder = leaseFolder(delegation);
      return folder === undefined ? [] : removeLeases(folder, choose, tryLock);
    },
    async forward(verb, delegation, signal) {
      try {
        await call(verb, delegation, { signal });
      } catch (error) {
        // Asking for its versions first would take twice as long in the usual case.
        const supported = await readVersions(delegation, signal);
        if (supported.includes(VERBS[verb].since)) throw error;
      }
    },
  };
}

function variablesOf({ id, sandboxPath, cniArgs }: DelegateTarget): Readonly<Record<string, string>> {
  return {
    CNI_CONTAINERID: id.containerId,
    CNI_IFNAME: id.interfaceName,
    CNI_NETNS: sandboxPath,
    // The delegate's library rejects unknown keys, and the keys about the pod are for podwire only.
    CNI_ARGS: cniArgs === '' ? '' : `${cniArgs};IgnoreUnknown=1`,
  };
}

function parseFailure(path: string, { exitCode, killedBy, stdout }: DelegateExit): CniError | undefined {
  if (exitCode === 0) return undefined;
  const answer = tryParseJsonObject(stdout);
  const { code, msg, details } = answer ?? {};
  if (typeof code === 'number' && Number.isInteger(code) && code > 0 && typeof msg === 'string') {
    const own = typeof details === 'string' && details !== '' ? `; ${details}` : '';
    return new CniError(code, msg, { details: `from the IPAM plugin ${path}${own}` });
  }
  const ending = killedBy === undefined ? `ended with status ${exitCode}` : `was ended by ${signalName(killedBy)}`;
  return new CniError(
    ERROR_CODE.delegateFailed,
    `the IPAM plugin ${path} ${ending} without a reason on stdout; check its stderr`,
    {
      details: stdout.slice(0, 200),
    },
  );
}

function signalName(signal: number): string {
  const { constants } = loadBuiltin('node:os');
  return Object.entries(constants.signals).find(([, number]) => number === signal)?.[0] ?? `signal ${signal}`;
}

// A result without a version has the version of the configuration (containernetworking/cni pkg/types, GetCNIVersion).
function parseDelegateResult({ type, config: { cniVersion } }: Delegation, stdout: string): CniResult {
  const answer = tryParseJsonObject(stdout);
  try {
    if (answer !== undefined) return parseResult(typeof cniVersion === 'string' ? { cniVersion, ...answer } : answer);
  } catch (cause) {
    throw invalidResultError(type, stdout, messageOf(cause));
  }
  throw invalidResultError(type, stdout, 'it is not a JSON object');
}

function invalidResultError(type: string, stdout: string, why: string): CniError {
  return new CniError(ERROR_CODE.delegateFailed, `the IPAM plugin ${type} returned an invalid result: ${why}`, {
    details: stdout.slice(0, 200),
  });
}
