import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { CniError, ERROR_CODE } from '../../cni/error.ts';

/** A file that somebody's configuration names. */
export interface ConfiguredFile {
  readonly path: string;
  /** What it is, as a person calls it: `kubeconfig`. */
  readonly what: string;
  /** What names it: `kubernetes.kubeconfig in the network configuration`. */
  readonly namedBy: string;
}

/**
 * The text of a small file. Never hangs (a FIFO), never reads more than it wants (a disk image), never quotes what it read.
 *
 * @throws {CniError} 5 when it cannot be read, 7 when it cannot be what it should be; each with path, reason and what names it
 */
export function readConfiguredFile(file: ConfiguredFile): string {
  const bytes = readBytes(file);
  if (bytes.includes(0)) throw unusable(file, 'is binary, text is wanted');
  const text = decode(bytes, file);
  if (text.trim() === '') throw unusable(file, 'is empty');
  return text;
}

/** The file is there, but is not what its name promises. `problem` continues a sentence: `has no field users`. */
export function unusable(file: ConfiguredFile, problem: string): CniError {
  return new CniError(
    ERROR_CODE.invalidConfig,
    `the ${file.what} ${file.path} ${problem}: put right the file, or ${file.namedBy}`,
  );
}

function readBytes(file: ConfiguredFile): Uint8Array {
  let descriptor: number | undefined;
  try {
    // O_NONBLOCK: opening a FIFO would wait for its writer.
    descriptor = openSync(file.path, constants.O_RDONLY | constants.O_NONBLOCK);
    const facts = fstatSync(descriptor);
    if (!facts.isFile())
      throw unusable(file, facts.isDirectory() ? 'is a directory, a file is wanted' : 'is no regular file');
    if (facts.size > MAX_BYTES) throw unusable(file, `has ${facts.size} bytes, at most ${MAX_BYTES} are read`);
    return readAll(descriptor, facts.size);
  } catch (cause) {
    if (cause instanceof CniError) throw cause;
    throw unreadable(file, cause);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

// Not readFileSync, whose size is the file's: this one may be growing.
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
    throw unusable(file, 'is not UTF-8 text');
  }
}

function unreadable(file: ConfiguredFile, cause: unknown): CniError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
  const reason = REASONS[code] ?? 'cannot be read';
  const message = `the ${file.what} ${file.path} ${reason} (${code}): it is named by ${file.namedBy}`;
  return new CniError(ERROR_CODE.inputOutput, message, { details: code, cause });
}

const MAX_BYTES = 4 * 1024 * 1024;

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'does not exist: a part of its path is no directory',
  EACCES: 'may not be read by this user',
  EPERM: 'may not be read by this user',
  ELOOP: 'is a symbolic link that leads nowhere',
  ENAMETOOLONG: 'has too long a name',
};
