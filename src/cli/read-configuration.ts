import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CniError, ERROR_CODE } from '../cni/error.ts';
import { parseJsonObject, type JsonObject } from '../json/json.ts';
import { messageOf } from '../system/error-text.ts';
import type { CliIo } from './cli-io.ts';
import { readUntilSilent } from './read-until-silent.ts';
import { openNodeFiles } from './observe/node-files.ts';

/** A network configuration, of one plugin or of a list. */
export interface Configuration {
  readonly list: JsonObject;
  /** The file, if the user has not named it. */
  readonly source: string | undefined;
}

/**
 * Reads the network configuration that a command is about: from a file, from stdin, or on a terminal the first one of the
 * node, so that the command never waits for a person to type one.
 *
 * @throws {CniError} if it is missing, or not a JSON object
 */
export async function readConfiguration(path: string | undefined, io: CliIo): Promise<Configuration> {
  if (path !== undefined) return { list: parseJsonObject(readFile(path), path), source: undefined };
  if (!io.isTerminal(0)) {
    const input = await readUntilSilent(io.stdin());
    if (input !== undefined) return { list: parseJsonObject(input), source: undefined };
    const message = 'nothing arrives on standard input: pass the network configuration there, or with --config FILE';
    throw new CniError(ERROR_CODE.inputOutput, message);
  }
  const folder = openNodeFiles(undefined, io.environment).layout.here.configs;
  const first = listFolder(folder).find((name) => /\.(conf|conflist|json)$/.test(name));
  if (first === undefined) {
    const message = `${folder} has no network configuration: pass one with --config FILE or on stdin`;
    throw new CniError(ERROR_CODE.invalidConfig, message);
  }
  const source = join(folder, first);
  return { list: parseJsonObject(readFile(source), source), source };
}

function readFile(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new CniError(ERROR_CODE.inputOutput, `cannot read ${path}: ${messageOf(cause)}`, { cause });
  }
}

function listFolder(folder: string): readonly string[] {
  try {
    return readdirSync(folder).toSorted();
  } catch {
    return [];
  }
}
