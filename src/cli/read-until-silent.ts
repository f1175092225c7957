import type { Readable } from 'node:stream';

const SILENT_MS = 5000;
/** One byte more than the parser of JSON accepts, so that it rejects it. */
const MAX_BYTES = 16 * 1024 * 1024 + 1;

/**
 * Reads a stream to its end, or as much as can be used.
 *
 * @returns undefined if nothing arrives for `silentMs`: a person's command must not hang
 */
export async function readUntilSilent(stream: Readable, silentMs = SILENT_MS): Promise<Uint8Array | undefined> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  const { promise, resolve } = Promise.withResolvers<'ended' | 'silent'>();
  const timer = setTimeout(() => resolve('silent'), silentMs);
  stream
    .on('data', (chunk: Buffer) => {
      timer.refresh();
      chunks.push(chunk);
      sizeBytes += chunk.length;
      if (sizeBytes < MAX_BYTES) return;
      stream.pause();
      resolve('ended');
    })
    .once('end', () => resolve('ended'))
    .once('error', () => resolve('ended'));
  const end = await promise;
  clearTimeout(timer);
  stream.destroy();
  return end === 'silent' ? undefined : Buffer.concat(chunks);
}
