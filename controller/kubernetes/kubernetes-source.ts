/** A Kubernetes API as a source: one origin for each object. Kinds are mirrored side by side and told in batches. */
import type { Source, SourceChange } from '../source/source.js';
import type { WatchCounts } from '../status/metrics.js';
import type { ApiClient } from './api-client.js';
import type { ApiObject } from './api-object.js';
import type { ObjectDelta } from './object-index.js';
import { Reflector, type ReflectorLimits } from './reflector.js';
import { originOf, type ResourceType, watchedTypes } from './resource-type.js';

export interface KubernetesSourceOptions {
  readonly client: ApiClient;
  /** Told of what cannot be listed or watched; it is tried again by itself. */
  readonly onTrouble: (message: string) => void;
  /** Sees every change before it is applied. */
  readonly observe?: (type: ResourceType, deltas: readonly ObjectDelta[]) => void;
  /** Uniform in [0, 1); absent: Math.random. */
  readonly random?: () => number;
  /** Monotonic clock in milliseconds. */
  readonly now?: () => number;
  readonly types?: readonly ResourceType[];
  readonly limits?: ReflectorLimits;
}

/** Changes within so long of each other are one batch; longer where the last batch took longer, up to a limit. */
const coalesceMs = 20;
const maxCoalesceMs = 500;

export class KubernetesSource implements Source {
  readonly #options: KubernetesSourceOptions;
  readonly #reflectors: readonly Reflector[];
  #apply: ((changes: readonly SourceChange[]) => void) | null = null;
  #pending: SourceChange[] = [];
  #timer: NodeJS.Timeout | undefined;
  #lastApplyMs = 0;
  #onSynced: () => void = () => {};

  constructor(options: KubernetesSourceOptions) {
    this.#options = options;
    const { client, onTrouble, random = Math.random, limits, types = watchedTypes } = options;
    this.#reflectors = types.map(
      (type) =>
        new Reflector({
          client,
          type,
          random,
          onTrouble,
          onChange: (deltas) => this.#take(type, deltas),
          ...(limits === undefined ? {} : { limits }),
        }),
    );
  }

  /** Resolves once every kind has been listed, which waits for as long as the API cannot be reached. */
  async start(apply: (changes: readonly SourceChange[]) => void): Promise<void> {
    const synced = new Promise<void>((resolve) => {
      this.#onSynced = resolve;
    });
    for (const reflector of this.#reflectors) void reflector.run();
    await synced;
    this.#apply = apply;
    this.#flush();
  }

  /** By kind. */
  watches(): Map<string, WatchCounts> {
    return new Map(this.#reflectors.map(({ kind, size, failures }) => [kind, { objects: size, failures }]));
  }

  stop(): void {
    this.#apply = null;
    clearTimeout(this.#timer);
    for (const reflector of this.#reflectors) reflector.stop();
    this.#options.client.close();
  }

  #take(type: ResourceType, deltas: readonly ObjectDelta[]): void {
    this.#options.observe?.(type, deltas);
    for (const delta of deltas) this.#pending.push(...toChanges(type, delta));
    if (this.#apply !== null) this.#schedule();
    else if (this.#reflectors.every(({ synced }) => synced)) this.#onSynced();
  }

  #schedule(): void {
    const delayMs = Math.min(Math.max(coalesceMs, this.#lastApplyMs), maxCoalesceMs);
    this.#timer ??= setTimeout(() => this.#flush(), delayMs);
  }

  #flush(): void {
    const now = this.#options.now ?? (() => performance.now());
    this.#timer = undefined;
    const changes = this.#pending;
    this.#pending = [];
    const begunMs = now();
    this.#apply?.(changes);
    this.#lastApplyMs = now() - begunMs;
  }
}

/** One for all, so that an object that comes again unchanged is the same. */
const noLine = () => 0;

function toChanges(type: ResourceType, delta: ObjectDelta): SourceChange[] {
  const origin = originOf(type, delta.key);
  if (delta.type === 'gone') return [{ type: 'gone', origin }];
  const documents = [{ value: toDocument(delta.object), locate: noLine }];
  const holds: SourceChange = { type: 'holds', origin, documents };
  // The last good version of an object that was deleted is no version of the one that has its name now.
  return delta.replaced ? [{ type: 'gone', origin }, holds] : [holds];
}

/** As a manifest of the same object would be written. */
function toDocument(object: ApiObject): unknown {
  const { namespace, ...metadata } = object.metadata;
  return namespace === '' ? { ...object, metadata } : object;
}
