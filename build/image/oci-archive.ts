import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { tarArchive, type TarEntry } from './tar-archive.ts';

/** The image of one architecture. */
export interface ImageContent {
  readonly platform: Platform;
  /** Layers that rarely change come first: a node does not download a layer that it already has. */
  readonly layers: readonly { readonly createdBy: string; readonly entries: readonly TarEntry[] }[];
  /** An SPDX document. */
  readonly billOfMaterials: object;
}

export interface Platform {
  readonly os: 'linux';
  readonly architecture: 'amd64' | 'arm64';
  readonly variant?: string;
}

export interface ImageSettings {
  /** The image's name where it is imported, without the tag. */
  readonly name: string;
  readonly tag: string;
  readonly createdAt: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly config: object;
}

export interface OciArchives {
  /** With the images of all architectures. */
  readonly all: Buffer;
  /** With the image of one architecture only. The index is the same, so that the image has the same digest. */
  readonly single: Readonly<Record<Platform['architecture'], Buffer>>;
  /** The digest of the index, by which the image is pulled. */
  readonly digest: string;
  readonly sizes: readonly {
    readonly platform: Platform;
    readonly unpackedBytes: number;
    readonly packedBytes: number;
  }[];
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

const TYPE = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
  empty: 'application/vnd.oci.empty.v1+json',
  attestation: 'application/vnd.docker.attestation.manifest.v1+json',
  statement: 'application/vnd.in-toto+json',
} as const;

/**
 * Packs images of several architectures into one file, and each into a separate file: OCI image layouts in tar archives.
 *
 * Each image's bill of materials is an in-toto statement in a manifest next to the image's, in the same index. It
 * therefore remains with the image when that is copied, also by digest. It refers to its image by `subject` (OCI 1.1)
 * and by BuildKit's annotations.
 *
 * The layout names the index twice: by tag and by digest. A runtime that imports the archive then knows the image by both, so that
 * a manifest that pins the digest finds it.
 */
export async function ociArchives(images: readonly ImageContent[], settings: ImageSettings): Promise<OciArchives> {
  const packed = await Promise.all(images.map((image) => packImage(image, settings)));
  const statements = packed.map(({ statement, descriptor }) => ({
    ...statement,
    platform: { architecture: 'unknown', os: 'unknown' }, // so that no runtime mistakes it for an image to run
    annotations: {
      'vnd.docker.reference.type': 'attestation-manifest',
      'vnd.docker.reference.digest': descriptor.digest,
    },
  }));
  const blobs = new Map<string, Buffer>();
  const index = putJson(blobs, TYPE.index, {
    schemaVersion: 2,
    mediaType: TYPE.index,
    manifests: [...packed.map(({ platform, descriptor }) => ({ ...descriptor, platform })), ...statements],
    annotations: settings.annotations,
  });
  const byTag = {
    'io.containerd.image.name': `${settings.name}:${settings.tag}`,
    'org.opencontainers.image.ref.name': settings.tag,
  };
  const byDigest = { 'io.containerd.image.name': `${settings.name}@${index.digest}` };
  const layout = [byTag, byDigest].map((annotations) => ({ ...index, annotations }));
  const archiveOf = (parts: typeof packed) => packLayout(layout, [blobs, ...parts.map((part) => part.blobs)]);
  const singleOf = (architecture: Platform['architecture']) =>
    archiveOf(packed.filter(({ platform }) => platform.architecture === architecture));
  return {
    all: archiveOf(packed),
    single: { amd64: singleOf('amd64'), arm64: singleOf('arm64') },
    digest: index.digest,
    sizes: packed.map(({ platform, sizes }) => ({ platform, ...sizes })),
  };
}

/** The image of one architecture with its bill of materials, as blobs. */
async function packImage(image: ImageContent, settings: ImageSettings) {
  const blobs = new Map<string, Buffer>();
  const { descriptor, sizes } = await putImage(blobs, image, settings);
  const statement = putStatement(blobs, image, descriptor, settings);
  return { platform: image.platform, blobs, descriptor, statement, sizes };
}

function packLayout(manifests: readonly object[], parts: readonly ReadonlyMap<string, Buffer>[]): Buffer {
  const blobs = new Map(parts.flatMap((part) => [...part]));
  return tarArchive([
    { path: 'oci-layout', content: Buffer.from('{"imageLayoutVersion":"1.0.0"}'), mode: 0o644 },
    {
      path: 'index.json',
      content: Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: TYPE.index, manifests })),
      mode: 0o644,
    },
    ...[...blobs].map(([hash, content]) => ({ path: `blobs/sha256/${hash}`, content, mode: 0o644 })),
  ]);
}

function put(blobs: Map<string, Buffer>, mediaType: string, content: Buffer): Descriptor {
  const hash = sha256(content);
  blobs.set(hash, content);
  return { mediaType, digest: `sha256:${hash}`, size: content.length };
}

function putJson(blobs: Map<string, Buffer>, mediaType: string, value: object): Descriptor {
  return put(blobs, mediaType, Buffer.from(JSON.stringify(value)));
}

async function putImage(blobs: Map<string, Buffer>, image: ImageContent, settings: ImageSettings) {
  const layers = await Promise.all(
    image.layers.map(async ({ createdBy, entries }) => {
      const unpacked = tarArchive(entries);
      // zlib writes neither time nor name into the header, so equal layers have equal digests.
      const packed = put(blobs, TYPE.layer, await promisify(gzip)(unpacked, { level: 9 }));
      return { createdBy, packed, diffId: `sha256:${sha256(unpacked)}`, unpackedBytes: unpacked.length };
    }),
  );
  const config = putJson(blobs, TYPE.config, {
    created: settings.createdAt,
    ...image.platform,
    config: settings.config,
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    history: layers.map(({ createdBy }) => ({ created: settings.createdAt, created_by: createdBy })),
  });
  const manifest = {
    schemaVersion: 2,
    mediaType: TYPE.manifest,
    config,
    layers: layers.map(({ packed }) => packed),
    annotations: settings.annotations,
  };
  const sizes = {
    unpackedBytes: layers.reduce((sum, { unpackedBytes }) => sum + unpackedBytes, 0),
    packedBytes: layers.reduce((sum, { packed }) => sum + packed.size, 0),
  };
  return { descriptor: putJson(blobs, TYPE.manifest, manifest), sizes };
}

function putStatement(
  blobs: Map<string, Buffer>,
  { billOfMaterials }: ImageContent,
  image: Descriptor,
  { name, tag }: ImageSettings,
): Descriptor {
  const predicateType = 'https://spdx.dev/Document';
  const statement = putJson(blobs, TYPE.statement, {
    _type: 'https://in-toto.io/Statement/v0.1',
    predicateType,
    subject: [{ name: `${name}:${tag}`, digest: { sha256: image.digest.replace('sha256:', '') } }],
    predicate: billOfMaterials,
  });
  return putJson(blobs, TYPE.manifest, {
    schemaVersion: 2,
    mediaType: TYPE.manifest,
    artifactType: TYPE.attestation,
    config: { ...putJson(blobs, TYPE.empty, {}), data: Buffer.from('{}').toString('base64') },
    layers: [{ ...statement, annotations: { 'in-toto.io/predicate-type': predicateType } }],
    subject: image,
  });
}

function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
