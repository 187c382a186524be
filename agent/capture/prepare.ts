/**
 * Makes ready what a node's proxy needs and may not make itself: a folder that it may write and nobody else may read,
 * and its seccomp profile where kubelet looks for profiles.
 * usage: prepare --folder PATH --uid UID [--profile FILE --profile-folder PATH]
 */
import { chmodSync, chownSync, copyFileSync, lstatSync, mkdirSync, renameSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';

const text = { type: 'string' } as const;
const { values } = parseArgs({ options: { folder: text, uid: text, profile: text, 'profile-folder': text } });
const { folder, uid, profile, 'profile-folder': profileFolder } = values;
if (folder?.startsWith('/') !== true || uid === undefined || !/^[1-9][0-9]{0,8}$/.test(uid)) {
  process.stderr.write('usage: prepare --folder PATH --uid UID [--profile FILE --profile-folder PATH]\n');
  process.exit(2);
}
mkdirSync(folder, { recursive: true });
if (!lstatSync(folder).isDirectory()) throw new Error(`${folder} is a link; remove it`);
// The mode first: once the folder is the proxy's, a root without CAP_FOWNER may not change it.
if (lstatSync(folder).uid === 0) chmodSync(folder, 0o700);
chownSync(folder, Number(uid), Number(uid));
if (profile !== undefined && profileFolder !== undefined) {
  const target = join(profileFolder, basename(profile));
  copyFileSync(profile, `${target}.next`);
  renameSync(`${target}.next`, target);
}
