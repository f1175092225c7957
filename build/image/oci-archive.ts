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

export interface OciArchive {
  readonly bytes: Buffer;
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
 * Packs images of several architectures into one file: an OCI image layout in a tar archive.
 *
 * Each image's bill of materials is an in-toto statement in a manifest next to the image's, in the same index. It
 * therefore remains with the image when that is copied, also by digest. It refers to its image by `subject` (OCI 1.1)
 * and by BuildKit's annotations.
 */
export async function ociArchive(images: readonly ImageContent[], settings: ImageSettings): Promise<OciArchive> {
  const blobs = new Map<string, Buffer>();
  const put = (mediaType: string, content: Buffer): Descriptor => {
    const hash = sha256(content);
    blobs.set(hash, content);
    return { mediaType, digest: `sha256:${hash}`, size: content.length };
  };
  const putJson = (mediaType: string, value: object) => put(mediaType, Buffer.from(JSON.stringify(value)));

  const stored = await Promise.all(images.map((image) => putImage(image, settings, put)));
  const statements = stored.map(({ image, descriptor }) => ({
    ...putStatement(image, descriptor, settings, putJson),
    platform: { architecture: 'unknown', os: 'unknown' }, // so that no runtime mistakes it for an image to run
    annotations: {
      'vnd.docker.reference.type': 'attestation-manifest',
      'vnd.docker.reference.digest': descriptor.digest,
    },
  }));
  const index = putJson(TYPE.index, {
    schemaVersion: 2,
    mediaType: TYPE.index,
    manifests: [...stored.map(({ image, descriptor }) => ({ ...descriptor, platform: image.platform })), ...statements],
    annotations: settings.annotations,
  });
  const names = {
    'io.containerd.image.name': `${settings.name}:${settings.tag}`,
    'org.opencontainers.image.ref.name': settings.tag,
  };
  const layout = { schemaVersion: 2, mediaType: TYPE.index, manifests: [{ ...index, annotations: names }] };
  const bytes = tarArchive([
    { path: 'oci-layout', content: Buffer.from('{"imageLayoutVersion":"1.0.0"}'), mode: 0o644 },
    { path: 'index.json', content: Buffer.from(JSON.stringify(layout)), mode: 0o644 },
    ...[...blobs].map(([hash, content]) => ({ path: `blobs/sha256/${hash}`, content, mode: 0o644 })),
  ]);
  return {
    bytes,
    digest: index.digest,
    sizes: stored.map(({ image, sizes }) => ({ platform: image.platform, ...sizes })),
  };
}

async function putImage(
  image: ImageContent,
  settings: ImageSettings,
  put: (mediaType: string, content: Buffer) => Descriptor,
) {
  const layers = await Promise.all(
    image.layers.map(async ({ createdBy, entries }) => {
      const unpacked = tarArchive(entries);
      // zlib writes neither time nor name into the header, so equal layers have equal digests.
      const packed = put(TYPE.layer, await promisify(gzip)(unpacked, { level: 9 }));
      return { createdBy, packed, diffId: `sha256:${sha256(unpacked)}`, unpackedBytes: unpacked.length };
    }),
  );
  const config = put(
    TYPE.config,
    Buffer.from(
      JSON.stringify({
        created: settings.createdAt,
        ...image.platform,
        config: settings.config,
        rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
        history: layers.map(({ createdBy }) => ({ created: settings.createdAt, created_by: createdBy })),
      }),
    ),
  );
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
  return { image, descriptor: put(TYPE.manifest, Buffer.from(JSON.stringify(manifest))), sizes };
}

function putStatement(
  { billOfMaterials }: ImageContent,
  image: Descriptor,
  { name, tag }: ImageSettings,
  putJson: (mediaType: string, value: object) => Descriptor,
): Descriptor {
  const predicateType = 'https://spdx.dev/Document';
  const statement = putJson(TYPE.statement, {
    _type: 'https://in-toto.io/Statement/v0.1',
    predicateType,
    subject: [{ name: `${name}:${tag}`, digest: { sha256: image.digest.replace('sha256:', '') } }],
    predicate: billOfMaterials,
  });
  return putJson(TYPE.manifest, {
    schemaVersion: 2,
    mediaType: TYPE.manifest,
    artifactType: TYPE.attestation,
    config: { ...putJson(TYPE.empty, {}), data: Buffer.from('{}').toString('base64') },
    layers: [{ ...statement, annotations: { 'in-toto.io/predicate-type': predicateType } }],
    subject: image,
  });
}

function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
