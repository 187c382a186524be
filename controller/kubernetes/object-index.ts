/** Which objects of one kind are known, by name: enough to tell what a new list or an event changes. */
import { type ApiObject, objectKey } from './api-object.js';

export type ObjectDelta =
  /**
   * `replaced`: another object had the name before, which was deleted meanwhile; nothing of it may live on.
   * `object` is new or differs from what was told before.
   */
  | { readonly type: 'put'; readonly key: string; readonly object: ApiObject; readonly replaced: boolean }
  | { readonly type: 'gone'; readonly key: string };

interface Known {
  readonly uid: string;
  readonly resourceVersion: string;
}

export class ObjectIndex {
  readonly #known = new Map<string, Known>();

  get size(): number {
    return this.#known.size;
  }

  /** Takes an object in; empty where exactly this version of it is known. */
  put({ ...object }: ApiObject): ObjectDelta[] {
    const { uid, resourceVersion } = object.metadata;
    const key = objectKey(object.metadata);
    const before = this.#known.get(key);
    if (before?.uid === uid && before.resourceVersion === resourceVersion) return [];
    this.#known.set(key, { uid, resourceVersion });
    return [{ type: 'put', key, object, replaced: before !== undefined && before.uid !== uid }];
  }

  /** Forgets an object; empty where it is not known, or where another one has its name now. */
  remove({ metadata }: ApiObject): ObjectDelta[] {
    const key = objectKey(metadata);
    if (this.#known.get(key)?.uid !== metadata.uid) return [];
    this.#known.delete(key);
    return [{ type: 'gone', key }];
  }

  /** Forgets all objects but those named. */
  keepOnly(keys: ReadonlySet<string>): ObjectDelta[] {
    const deltas: ObjectDelta[] = [];
    for (const key of this.#known.keys()) {
      if (keys.has(key)) continue;
      this.#known.delete(key);
      deltas.push({ type: 'gone', key });
    }
    return deltas;
  }
}
