/**
 * Objects as the API server sends them: plain JSON, never a class, and times always texts (RFC 3339). Only what every
 * object has is typed; all else is `unknown` until controller/parse has read it.
 */

export interface ApiObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ApiMetadata;
  readonly [field: string]: unknown;
}

export interface ApiMetadata {
  /** Empty for kinds without namespaces. */
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  /** 0 where the kind counts none. */
  readonly generation: number;
  readonly [field: string]: unknown;
}

/** `namespace/name`, or the name alone where there is no namespace. */
export function objectKey({ namespace, name }: { namespace: string; name: string }): string {
  return namespace === '' ? name : `${namespace}/${name}`;
}

/**
 * Reads one object; null where it is none (no name, uid or resource version). Items of a list carry neither
 * `apiVersion` nor `kind`, so those of the list's kind are put in. What nobody reads and what is large is left out.
 */
export function readApiObject(value: unknown, apiVersion: string, kind: string): ApiObject | null {
  const object = asRecord(value);
  const metadata = asRecord(object?.metadata);
  if (object === null || metadata === null) return null;
  const { name, namespace, uid, resourceVersion, generation } = metadata;
  if (!isText(name) || !isText(uid) || !isText(resourceVersion)) return null;
  const { managedFields: _, ...rest } = metadata;
  const kept: ApiMetadata = {
    ...rest,
    // A field that is not set stays away from what controller/parse reads.
    ...(isText(namespace) ? {} : { namespace: '' }),
    generation: typeof generation === 'number' ? generation : 0,
  } as ApiMetadata;
  return { ...object, apiVersion, kind, metadata: kept };
}

/** The value as an object, null where it is none. */
export function asRecord(value: unknown): Readonly<Record<string, unknown>> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : null;
}

export function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
