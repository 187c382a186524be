/** Asks the model's own checks about a manifest, so that no agent has to refuse what the controller let pass. */
import { checkPolicy } from '../../model/check-policy.js';
import { checkRoute } from '../../model/check-route.js';
import { checkMesh, checkService, checkWorkload } from '../../model/check-service.js';
import type { Problem } from '../../model/resource.js';
import { permissiveMtls } from '../../model/workload.js';
import type { FieldPath, FieldProblem } from './field-problem.js';
import type { Manifest } from './manifest.js';

/** Problems that the parser did not find by itself, at their places below `spec`. */
export function checkManifest(manifest: Manifest): FieldProblem[] {
  return findProblems(manifest).map(({ field, value, message, fix }) => ({
    path: ['spec', ...readPath(field)],
    value,
    message,
    fix,
  }));
}

function findProblems(manifest: Manifest): Problem[] {
  if ('mesh' in manifest) return checkMesh(manifest.mesh);
  if ('workload' in manifest) {
    const mesh = { trustDomain: '', cluster: '', network: '' };
    const transport = { captured: false, mtls: permissiveMtls, transport: 'plaintext' } as const;
    return checkWorkload({ ...manifest.workload, ...mesh, ...transport });
  }
  if ('form' in manifest) return checkService(manifest.service);
  if ('route' in manifest) return checkRoute(manifest.route);
  if ('policy' in manifest) return checkPolicy(manifest.policy);
  return [];
}

/** `rules[0].path` as keys and indexes. */
function readPath(field: string): FieldPath {
  return [...field.matchAll(/[^.[\]]+/g)].map(([segment]) =>
    /^\d+$/.test(segment) ? Number(segment) : segment,
  );
}
