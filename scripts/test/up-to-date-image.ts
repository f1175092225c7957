import { isImageUpToDate } from '../../build/up-to-date.ts';

/** Before the tests of a project of vitest that run the image, in a namespace without the network that a build would need. */
export async function setup(): Promise<void> {
  if (await isImageUpToDate()) return;
  throw new Error(
    'dist/podwire-image.tar is missing or older than its sources: run npm test -- node, or npm run build:image first',
  );
}
