/**
 * Slot `path`: where a policy read the path, the application gets the spelling that the policy judged. Otherwise
 * `/admin/../public` would be judged as `/public` and routed as `/admin` by an application that keeps dot segments.
 */
import { pathEnd } from '../../../model/request-head.js';
import type { ConnectionRecord } from '../worker/connection-record.js';
import type { DecisionContext } from '../worker/decision-context.js';
import type { RequestRecord } from '../worker/request-record.js';

export function passNormalPath(context: DecisionContext, request: RequestRecord): boolean {
  const { program } = request.connection as ConnectionRecord;
  if (program.pathPolicy === null) return true;
  const { path, target } = context.head;
  const end = pathEnd(target);
  if (path !== target.slice(0, end)) context.verdict.target(path + target.slice(end));
  return true;
}
