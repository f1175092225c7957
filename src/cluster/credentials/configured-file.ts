import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { CniError, ERROR_CODE } from '../../cni/error.ts';

/** A file that a configuration names. */
export interface ConfiguredFile {
  readonly path: string;
  /** What kind of file it is, for messages: `kubeconfig`. */
  readonly what: string;
  /** The setting that names it: `kubernetes.kubeconfig in the network configuration`. */
  readonly namedBy: string;
}

/**
 * Reads the text of a small file. It never blocks (on a FIFO), limits what it reads (of a disk image), and never
 * quotes the content.
 *
 * @throws {CniError} inputOutput (5) if the file cannot be read, invalidConfig (7) if its content is wrong; both name
 *   the path, the reason and the setting
 */
export function readConfiguredFile(file: ConfiguredFile): string {
  const bytes = readBytes(file);
  if (bytes.includes(0)) throw invalidFileError(file, 'is binary: expected text');
  const text = decode(bytes, file);
  if (text.trim() === '') throw invalidFileError(file, 'is empty');
  return text;
}

/**
 * Makes the error for a file that exists, but whose content is wrong.
 *
 * @param problem continues a sentence about the file: `is empty`
 */
export function invalidFileError({ what, path, namedBy }: ConfiguredFile, problem: string): CniError {
  const message = `the ${what} ${path} ${problem}; correct the file, or ${namedBy}`;
  return new CniError(ERROR_CODE.invalidConfig, message, { finding: 'PW205' });
}

function readBytes(file: ConfiguredFile): Uint8Array {
  let descriptor: number | undefined;
  try {
    // O_NONBLOCK: opening a FIFO would wait for its writer.
    descriptor = openSync(file.path, constants.O_RDONLY | constants.O_NONBLOCK);
    const facts = fstatSync(descriptor);
    if (!facts.isFile()) {
      throw invalidFileError(file, facts.isDirectory() ? 'is a directory: expected a file' : 'is not a regular file');
    }
    if (facts.size > MAX_BYTES) {
      throw invalidFileError(file, `has ${facts.size} bytes, more than the limit of ${MAX_BYTES}`);
    }
    return readAll(descriptor, facts.size);
  } catch (cause) {
    if (cause instanceof CniError) throw cause;
    throw unreadableFileError(file, cause);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

// readFileSync would read a file that keeps growing without a limit.
function readAll(descriptor: number, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let length = 0;
  while (length < size) {
    const count = readSync(descriptor, bytes, length, size - length, null);
    if (count === 0) break;
    length += count;
  }
  return bytes.subarray(0, length);
}

function decode(bytes: Uint8Array, file: ConfiguredFile): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw invalidFileError(file, 'is not UTF-8 text');
  }
}

function unreadableFileError(file: ConfiguredFile, cause: unknown): CniError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
  const reason = REASONS[code] ?? 'cannot be read';
  const message = `the ${file.what} ${file.path} ${reason} (${code}); it is named by ${file.namedBy}`;
  return new CniError(ERROR_CODE.inputOutput, message, { details: code, cause, finding: 'PW205' });
}

const MAX_BYTES = 4 * 1024 * 1024;

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'does not exist: a part of its path is not a directory',
  EACCES: 'is not readable for this user',
  EPERM: 'is not readable for this user',
  EMFILE: 'cannot be opened: this process has too many open files',
  ENFILE: 'cannot be opened: the system has too many open files',
  ELOOP: 'is part of a loop of symbolic links',
  ENAMETOOLONG: 'has a path that is too long',
};
