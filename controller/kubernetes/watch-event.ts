/** One line of a watch, read. */
import { parseJson } from './api-client.js';
import { type ApiObject, asRecord, readApiObject } from './api-object.js';
import { apiVersionOf, type ResourceType } from './resource-type.js';

export type WatchEvent =
  | { readonly type: 'changed'; readonly object: ApiObject }
  | { readonly type: 'deleted'; readonly object: ApiObject }
  | { readonly type: 'bookmark'; readonly resourceVersion: string }
  /** The server ends the watch; 410: it has forgotten the version that the watch began at. */
  | { readonly type: 'error'; readonly status: number; readonly body: unknown };

/** null where the line is no event, or its object none. */
export function readWatchEvent(line: string, type: ResourceType): WatchEvent | null {
  const event = asRecord(parseJson(line));
  const payload = asRecord(event?.object);
  const object = () => readApiObject(payload, apiVersionOf(type), type.kind);
  switch (event?.type) {
    case 'ADDED':
    case 'MODIFIED':
      return withObject('changed', object());
    case 'DELETED':
      return withObject('deleted', object());
    case 'BOOKMARK': {
      const version = asRecord(payload?.metadata)?.resourceVersion;
      if (typeof version !== 'string' || version === '') return null;
      return { type: 'bookmark', resourceVersion: version };
    }
    case 'ERROR': {
      const status = typeof payload?.code === 'number' ? payload.code : 500;
      return { type: 'error', status, body: payload };
    }
    default:
      return null;
  }
}

function withObject(type: 'changed' | 'deleted', object: ApiObject | null): WatchEvent | null {
  return object === null ? null : { type, object };
}
