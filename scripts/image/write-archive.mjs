// Writes an OCI image layout as one tar file (opencontainers/image-spec, image-layout.md). Equal input gives equal bytes:
// no times, no users of the builder, names in order.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  createReadStream,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

const types = {
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
};

/** image: { name: HOST/PATH:TAG, layers: folders, lowest first, config: the image's run settings }. */
export async function writeArchive(image, output) {
  mkdirSync(dirname(output), { recursive: true });
  const work = mkdtempSync(`${output}.`);
  try {
    const blobs = join(work, 'blobs/sha256');
    mkdirSync(blobs, { recursive: true });
    const layers = [];
    for (const folder of image.layers) layers.push(await addLayer(folder, blobs));
    const config = addBlob(blobs, {
      architecture: 'amd64',
      os: 'linux',
      config: image.config,
      rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
      history: image.layers.map(() => ({ created_by: 'scripts/build-images' })),
    });
    const manifest = addBlob(blobs, {
      schemaVersion: 2,
      mediaType: types.manifest,
      config: { mediaType: types.config, ...config },
      layers: layers.map((layer) => ({ mediaType: types.layer, ...layer })),
    });
    const annotations = {
      'io.containerd.image.name': image.name,
      'org.opencontainers.image.ref.name': image.name.slice(image.name.lastIndexOf(':') + 1),
    };
    const index = { schemaVersion: 2, manifests: [{ mediaType: types.manifest, ...manifest, annotations }] };
    writeFileSync(join(work, 'index.json'), JSON.stringify(index));
    writeFileSync(join(work, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
    tar(work, `${output}.new`);
    renameSync(`${output}.new`, output);
    return manifest.digest;
  } finally {
    rmSync(work, { recursive: true });
  }
}

async function addLayer(folder, blobs) {
  const file = join(blobs, 'layer');
  tar(folder, file);
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  const hex = hash.digest('hex');
  const { size } = statSync(file);
  renameSync(file, join(blobs, hex));
  return { digest: `sha256:${hex}`, size };
}

function addBlob(blobs, value) {
  const data = JSON.stringify(value);
  const hex = createHash('sha256').update(data).digest('hex');
  writeFileSync(join(blobs, hex), data);
  return { digest: `sha256:${hex}`, size: Buffer.byteLength(data) };
}

function tar(folder, output) {
  const same = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '--format=gnu'];
  const names = execFileSync('ls', ['-A', folder], { encoding: 'utf8' }).trim().split('\n');
  execFileSync('tar', ['-C', folder, ...same, '-cf', output, ...names]);
}
