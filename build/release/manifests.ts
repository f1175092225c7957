import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { parseAllDocuments } from 'yaml';
import { kustomize, OVERLAYS, RENDERED } from '../render-overlay.ts';
import type { ReleaseFile, ReleaseImage } from './release-file.ts';

const CNI_CONF = join(import.meta.dirname, '../../cni-conf');
/** The image's name in cni-conf. */
const IMAGE_NAME = 'localhost/podwire';

/**
 * Makes one file for each way to install, and for what goes with it. A way's file contains everything that `kubectl apply` needs; the
 * image is pinned by its digest.
 *
 * @throws {Error} with the output of kustomize
 */
export async function releaseManifests(image: ReleaseImage): Promise<readonly ReleaseFile[]> {
  const permissions = await readFile(join(CNI_CONF, 'rbac.yaml'), 'utf8');
  return Promise.all(
    RENDERED.map(async ({ name, folder }) => {
      const isWay = OVERLAYS.some((overlay) => overlay === name);
      const objects = mergeManifests([...(isWay ? [permissions] : []), await renderWithImage(folder, image)]);
      return {
        name: `podwire-${image.tag}-${name}.yaml`,
        content: Buffer.from(`# podwire ${image.tag}, ${name}\n${objects}`),
      };
    }),
  );
}

async function renderWithImage(source: string, { name, tag, digest }: ReleaseImage): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'podwire-manifest-'));
  try {
    const kustomization = {
      resources: [join(relative(folder, CNI_CONF), source)],
      images: [{ name: IMAGE_NAME, newName: name, newTag: tag, digest }],
    };
    await writeFile(join(folder, 'kustomization.yaml'), JSON.stringify(kustomization));
    return await kustomize(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Joins manifests. An object that several contain is kept once.
 *
 * @throws {Error} if they differ in an object
 */
export function mergeManifests(manifests: readonly string[]): string {
  const objects = new Map<string, { readonly value: unknown; readonly text: string }>();
  for (const document of manifests.flatMap((text) => parseAllDocuments(text))) {
    const value: unknown = document.toJS();
    if (value === null) continue;
    const identity = identityOf(value);
    const known = objects.get(identity);
    if (known !== undefined && !isDeepStrictEqual(known.value, value)) {
      throw new Error(`two manifests differ in ${identity}`);
    }
    objects.set(identity, { value, text: String(document).replace(/^---\n/, '') });
  }
  return [...objects.values()].map(({ text }) => text).join('---\n');
}

function identityOf(object: unknown): string {
  const metadata = memberIn(object, 'metadata');
  const parts = [memberIn(object, 'apiVersion'), memberIn(object, 'kind'), memberIn(metadata, 'namespace')];
  return [...parts, memberIn(metadata, 'name')].filter((part) => typeof part === 'string').join(' ');
}

function memberIn(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}
