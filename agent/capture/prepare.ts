/**
 * Makes a folder of the node that the proxy's user may write and nobody else may read.
 * usage: prepare FOLDER UID
 */
import { chmodSync, chownSync, lstatSync, mkdirSync } from 'node:fs';

const [folder, uid] = process.argv.slice(2);
if (folder?.startsWith('/') !== true || uid === undefined || !/^[1-9][0-9]{0,8}$/.test(uid)) {
  process.stderr.write('usage: prepare FOLDER UID\n');
  process.exit(2);
}
mkdirSync(folder, { recursive: true });
if (!lstatSync(folder).isDirectory()) throw new Error(`${folder} is a link; remove it`);
// The mode first: once the folder is the proxy's, a root without CAP_FOWNER may not change it.
if (lstatSync(folder).uid === 0) chmodSync(folder, 0o700);
chownSync(folder, Number(uid), Number(uid));
