/** What weft-cni asks capture (native/cni): one packet, one JSON object, and one answer. */
import { Field } from '../../handover/read-fields.js';
import type { Sandbox } from '../runtime/sandbox.js';

/** A sandbox whose network is being made, or looked at. Its labels are not known: CNI does not tell them. */
export type CniRequest =
  | { readonly type: 'add' | 'check'; readonly sandbox: Sandbox & { readonly netns: string } }
  /** Its network is being removed. */
  | { readonly type: 'del'; readonly container: string };

export type CniAnswer =
  /** It is captured: nothing leaves it past the mesh. */
  | { readonly type: 'held' }
  /** It need not be. */
  | { readonly type: 'outside' }
  /** It should be, and is not (answer to check). */
  | { readonly type: 'missing' }
  /** It should be, and cannot be. */
  | { readonly type: 'refused'; readonly message: string };

/** Throws MalformedMessage. */
export function parseCniRequest(packet: Uint8Array): CniRequest {
  const message = Field.parse(packet);
  const type = new Field('type', message.tag('type')).oneOf(['add', 'check', 'del']);
  if (type === 'del') {
    return { type, container: message.object(['type', 'container']).container.string(253) };
  }
  const { container, workload, namespace, pod, netns, addresses } = message.object([
    'type',
    'container',
    'workload',
    'namespace',
    'pod',
    'netns',
    'addresses',
  ]);
  const sandbox = {
    id: container.string(253),
    uid: workload.string(253),
    namespace: namespace.string(253),
    name: pod.string(253),
    labels: {},
    netns: netns.string(253),
    addresses: addresses.array(16, (address) => address.address()),
  };
  return { type, sandbox };
}
