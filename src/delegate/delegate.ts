import { CniError, ERROR_CODE } from '../cni/error.ts';
import { isJsonObject, parseJson, type JsonObject } from '../cni/json.ts';
import { parseResult, type CniResult } from '../cni/result.ts';
import { SUPPORTED_VERSIONS } from '../cni/versions.ts';
import type { Delegation } from '../plan/delegation.ts';
import { findDelegate } from './find-delegate.ts';
import { runDelegate, type DelegateExit } from './run-delegate.ts';

/** The IPAM plugin, as one attachment's command calls it. */
export interface Delegate {
  add(delegation: Delegation, signal?: AbortSignal): Promise<CniResult>;
  check(delegation: Delegation, signal?: AbortSignal): Promise<void>;
  /** Succeeds also if there is nothing to release. */
  del(delegation: Delegation, signal?: AbortSignal): Promise<void>;
}

type DelegateVerb = 'ADD' | 'CHECK' | 'DEL';

/**
 * @param environment the command's own, of which the delegate gets all but CNI_COMMAND
 * @param pluginPath the folders of CNI_PATH
 * @param budgetMs for one run; a run that takes longer is ended
 * @see SPEC.md 1.1.0, section 4, Execution of Delegated Plugins
 */
export function openDelegate({
  environment,
  pluginPath,
  budgetMs,
}: {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly pluginPath: readonly string[];
  readonly budgetMs: number;
}): Delegate {
  const run = async (verb: DelegateVerb | 'VERSION', { type, config }: Delegation, signal: AbortSignal | undefined) => {
    const path = findDelegate(type, pluginPath);
    const exit = await runDelegate({
      path,
      environment: { ...environment, CNI_COMMAND: verb },
      stdin: JSON.stringify(config),
      budgetMs,
      signal,
    });
    return { path, exit };
  };

  const call = async (verb: DelegateVerb, delegation: Delegation, signal: AbortSignal | undefined): Promise<string> => {
    const { path, exit } = await run(verb, delegation, signal);
    const error = parseFailure(path, exit);
    if (error === undefined) return exit.stdout;
    if (error.code !== ERROR_CODE.incompatibleVersion) throw error;
    const cniVersion = newestCommonVersion((await run('VERSION', delegation, signal)).exit.stdout);
    if (cniVersion === undefined || cniVersion === delegation.config['cniVersion']) throw error;
    return call(verb, { ...delegation, config: { ...delegation.config, cniVersion } }, signal);
  };

  return {
    async add(delegation, signal) {
      return parseAnswer(delegation, await call('ADD', delegation, signal));
    },
    async check(delegation, signal) {
      await call('CHECK', delegation, signal);
    },
    async del(delegation, signal) {
      await call('DEL', delegation, signal);
    },
  };
}

function parseFailure(path: string, { exitCode, killedBy, stdout }: DelegateExit): CniError | undefined {
  if (exitCode === 0) return undefined;
  const answer = tryParse(stdout);
  const { code, msg, details } = answer ?? {};
  if (typeof code === 'number' && Number.isInteger(code) && code > 0 && typeof msg === 'string') {
    const own = typeof details === 'string' && details !== '' ? `; ${details}` : '';
    return new CniError(code, msg, { details: `from the IPAM plugin ${path}${own}` });
  }
  const end = killedBy === null ? `ended with status ${exitCode}` : `was ended by ${killedBy}`;
  return new CniError(
    ERROR_CODE.delegateFailed,
    `the IPAM plugin ${path} ${end} and gave no reason; its stderr may have one`,
    {
      details: stdout.slice(0, 200),
    },
  );
}

// A result without a version has the configuration's (containernetworking/cni pkg/types, GetCNIVersion).
function parseAnswer({ type, config: { cniVersion } }: Delegation, stdout: string): CniResult {
  const answer = tryParse(stdout);
  try {
    if (answer !== undefined) return parseResult(typeof cniVersion === 'string' ? { cniVersion, ...answer } : answer);
  } catch (cause) {
    throw unusableAnswer(type, stdout, cause instanceof Error ? cause.message : String(cause));
  }
  throw unusableAnswer(type, stdout, 'no JSON object');
}

function unusableAnswer(type: string, stdout: string, why: string): CniError {
  return new CniError(
    ERROR_CODE.delegateFailed,
    `the IPAM plugin ${type} answered with something that is no result: ${why}`,
    {
      details: stdout.slice(0, 200),
    },
  );
}

function newestCommonVersion(stdout: string): string | undefined {
  const known: unknown = tryParse(stdout)?.['supportedVersions'];
  return Array.isArray(known) ? SUPPORTED_VERSIONS.findLast((version) => known.includes(version)) : undefined;
}

function tryParse(text: string): JsonObject | undefined {
  try {
    const value = parseJson(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
