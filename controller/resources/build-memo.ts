/**
 * What the build before gave: a step whose inputs are the same objects is not done again, and what comes out the same is
 * the same object. So a change costs the steps that see it, and nothing is hashed twice.
 */
import type { Resource, ResourceBodies, ResourceKind } from '../../model/resource.js';
import { sameJson } from '../kubernetes/same-json.js';
import { makeResource } from './make-resource.js';
import { CrossCheck } from './manifests-by-kind.js';
import type { StatusProblem } from './status-problem.js';

interface Step {
  readonly inputs: readonly unknown[];
  readonly value: unknown;
  readonly problems: readonly StatusProblem[];
}

export class BuildMemo {
  readonly #steps = new Map<string, Step>();
  readonly #items = new Map<string, Map<object, Step>>();
  readonly #kept = new Map<string, WeakMap<object, unknown>>();
  readonly #lists = new Map<string, readonly unknown[]>();
  /** By kind and then by name. */
  readonly #resources = new Map<string, Map<string, Resource>>();

  /** What `run` gives for these inputs; the problems that it finds are added to `check`, done or not. */
  step<Value>(
    name: string,
    inputs: readonly unknown[],
    check: CrossCheck,
    run: (check: CrossCheck) => Value,
  ): Value {
    let step = this.#steps.get(name);
    if (step === undefined || !sameItems(step.inputs, inputs)) {
      const own = new CrossCheck();
      const value = run(own);
      step = { inputs, value, problems: own.problems };
      this.#steps.set(name, step);
    }
    for (const problem of step.problems) check.problems.push(problem);
    return step.value as Value;
  }

  /** As {@link step} for each item by itself; `inputsOf`: what else it depends on. */
  each<Item extends object, Value>(
    name: string,
    items: readonly Item[],
    check: CrossCheck,
    inputsOf: (item: Item) => readonly unknown[],
    run: (item: Item, check: CrossCheck) => Value,
  ): Value[] {
    const before = this.#items.get(name) ?? new Map<object, Step>();
    const after = new Map<object, Step>();
    const values = items.map((item) => {
      const inputs = inputsOf(item);
      let step = before.get(item);
      if (step === undefined || !sameItems(step.inputs, inputs)) {
        const own = new CrossCheck();
        const value = run(item, own);
        step = { inputs, value, problems: own.problems };
      }
      after.set(item, step);
      for (const problem of step.problems) check.problems.push(problem);
      return step.value as Value;
    });
    this.#items.set(name, after);
    return values;
  }

  /** What a step keeps of each input for as long as that lives. */
  kept<Item extends object, Value>(name: string): WeakMap<Item, Value> {
    const kept = this.#kept.get(name) ?? new WeakMap();
    this.#kept.set(name, kept);
    return kept as WeakMap<Item, Value>;
  }

  /** The list, or the one before where it holds the same objects. */
  list<List extends readonly unknown[]>(name: string, list: List): List {
    const before = this.#lists.get(name);
    if (before !== undefined && sameItems(before, list)) return before as List;
    this.#lists.set(name, list);
    return list;
  }

  /** Resources of one kind from their bodies, those before where they say the same. */
  resources<Kind extends ResourceKind>(
    kind: Kind,
    bodies: readonly ResourceBodies[Kind][],
    keyOf: (body: ResourceBodies[Kind]) => { readonly name: string; readonly namespace: string },
  ): Resource[] {
    const before = this.#resources.get(kind);
    const made = new Map<string, Resource>();
    for (const body of bodies) {
      const { name, namespace } = keyOf(body);
      const known = before?.get(name);
      const same = known !== undefined && sameJson(known.body, body);
      made.set(name, same ? known : makeResource(kind, name, namespace, body));
    }
    this.#resources.set(kind, made);
    return [...made.values()];
  }
}

function sameItems(left: readonly unknown[], right: readonly unknown[]): boolean {
  return left.length === right.length && left.every((item, at) => item === right[at]);
}
