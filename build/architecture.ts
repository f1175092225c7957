/** A processor architecture, as Node names it. */
export type Architecture = 'x64' | 'arm64';

/**
 * Returns the architecture of the Node that runs this program.
 *
 * @throws {Error} on a system that podwire does not support
 */
export function thisArchitecture(): Architecture {
  if (process.platform === 'linux' && (process.arch === 'x64' || process.arch === 'arm64')) return process.arch;
  throw new Error(`podwire supports Linux on x64 and arm64, not ${process.platform} on ${process.arch}`);
}
