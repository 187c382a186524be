/** Finds a user's ids in /etc/passwd's text. */
import { CommandError } from '../usage-error.js';

export interface UserIds {
  readonly uid: number;
  readonly gid: number;
}

/** `user` is a name or a number; a number without an entry has the group of the same number. Throws CommandError. */
export function findUser(user: string, passwd: string): UserIds {
  for (const line of passwd.split('\n')) {
    const [name, , uid, gid] = line.split(':');
    if (uid !== undefined && gid !== undefined && (name === user || uid === user)) {
      return checkUnprivileged(user, { uid: Number(uid), gid: Number(gid) });
    }
  }
  if (!/^\d{1,9}$/.test(user)) {
    throw new CommandError(`there is no user ${user}; create it, or name another by --proxy-user`);
  }
  return checkUnprivileged(user, { uid: Number(user), gid: Number(user) });
}

function checkUnprivileged(user: string, ids: UserIds): UserIds {
  if (ids.uid === 0 || ids.gid === 0) {
    throw new CommandError(
      `user ${user} is privileged; the process parses what strangers send, so name another`,
    );
  }
  return ids;
}
