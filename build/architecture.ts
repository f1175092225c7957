/** As Node names them. */
export type Architecture = 'x64' | 'arm64';

/**
 * The architecture of the Node that runs us.
 *
 * @throws {Error} on a system that podwire is not for
 */
export function thisArchitecture(): Architecture {
  if (process.platform === 'linux' && (process.arch === 'x64' || process.arch === 'arm64')) return process.arch;
  throw new Error(`podwire is for Linux on x64 and arm64, this is ${process.platform} on ${process.arch}`);
}
