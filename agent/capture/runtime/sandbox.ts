/** A pod's sandbox as the container runtime tells of it (NRI's api.proto, message PodSandbox). */
import { basename } from 'node:path';
import { parseAddress } from '../../../model/address.js';
import { bytesOf, readFields, textMapOf, textOf } from './protobuf-wire.js';

export interface Sandbox {
  readonly id: string;
  /** The pod's uid. */
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Name of the network namespace's file in the node's folder; null where the pod shares the node's network. */
  readonly netns: string | null;
  /** Canonical text; empty where the runtime does not tell them. */
  readonly addresses: readonly string[];
}

/** Throws Error where the bytes are no sandbox of a pod. */
export function readSandbox(message: Buffer): Sandbox {
  const fields = readFields(message);
  const [id, name, uid, namespace] = [1, 2, 3, 4].map((number) => textOf(fields, number)) as [
    string,
    string,
    string,
    string,
  ];
  if (id === '' || uid === '') throw new Error(`the runtime names a pod without id or uid (${name})`);
  const linux = readFields(bytesOf(fields, 8).at(-1) ?? Buffer.alloc(0));
  const path = bytesOf(linux, 5)
    .map((entry) => readFields(entry))
    .filter((entry) => textOf(entry, 1) === 'network')
    .map((entry) => textOf(entry, 2))
    .at(-1);
  return {
    id,
    uid,
    namespace,
    name,
    labels: textMapOf(fields, 5),
    netns: path === undefined || path === '' ? null : basename(path),
    addresses: bytesOf(fields, 10).flatMap((bytes) => parseAddress(bytes.toString('utf8')) ?? []),
  };
}
