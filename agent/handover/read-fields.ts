/** Reads parsed JSON field by field, strictly: every value has its type and bounds, and no field is unknown. */
import { parseAddress, parseCidr } from '../../model/address.js';

/** What is wrong with one field. */
export interface FieldProblem {
  /** For example `enrolment.addresses[1]`; empty for the whole message. */
  readonly field: string;
  /** As JSON, shortened. */
  readonly value: string;
  readonly message: string;
  readonly fix: string;
}

/** A packet that is no message of the protocol. */
export class MalformedMessage extends Error {
  readonly problem: FieldProblem;

  constructor(problem: FieldProblem) {
    const { field, value, message, fix } = problem;
    super(`${field === '' ? 'the message' : field} (${value}) ${message}: ${fix}`);
    this.name = 'MalformedMessage';
    this.problem = problem;
  }
}

const longestShown = 100;

function fail(field: string, value: unknown, message: string, fix: string): never {
  const text = JSON.stringify(value) ?? 'undefined';
  const shown = text.length > longestShown ? `${text.slice(0, longestShown)}…` : text;
  throw new MalformedMessage({ field, value: shown, message, fix });
}

/** A value and where it stands. */
export class Field {
  readonly name: string;
  readonly value: unknown;

  constructor(name: string, value: unknown) {
    this.name = name;
    this.value = value;
  }

  /** The packet's text as JSON. */
  static parse(packet: Uint8Array): Field {
    try {
      return new Field('', JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(packet)));
    } catch {
      // The parser's own message quotes the text, which may hold a secret.
      throw new MalformedMessage({
        field: '',
        value: `${packet.length} bytes`,
        message: 'is no JSON',
        fix: 'send JSON',
      });
    }
  }

  /** The object's fields, all of which must be among `names`; absent ones are undefined. */
  object<Name extends string>(names: readonly Name[]): Record<Name, Field> {
    const { value } = this;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      fail(this.name, value, 'is no object', `an object with ${names.join(', ')}`);
    }
    for (const key of Object.keys(value)) {
      if (!(names as readonly string[]).includes(key)) {
        fail(this.#path(key), (value as Record<string, unknown>)[key], 'is unknown', 'leave it out');
      }
    }
    const fields = names.map((name) => [name, new Field(this.#path(name), (value as never)[name])]);
    return Object.fromEntries(fields) as Record<Name, Field>;
  }

  /** As {@link object}, where no value may be shown: a misspelt field could hold the secret. */
  secretObject<Name extends string>(names: readonly Name[]): Record<Name, Field> {
    const keys = Object.keys((this.value ?? {}) as object);
    if (keys.some((key) => !(names as readonly string[]).includes(key))) {
      fail(this.name, '(not shown)', 'has an unknown field', `only ${names.join(', ')}`);
    }
    return this.object(names);
  }

  /** Text in base64 that is never shown. */
  secret(longest: number): string {
    const { value } = this;
    if (typeof value !== 'string' || value.length > longest || !/^[A-Za-z0-9+/]+={0,2}$/.test(value)) {
      fail(this.name, '(not shown)', 'is no secret', `base64 of 1 to ${longest} characters`);
    }
    return value;
  }

  /** The discriminating text of an object whose other fields are not yet known. */
  tag(name: string): string {
    const { value } = this;
    const found =
      typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : null;
    return new Field(this.#path(name), found).string(64);
  }

  array<Item>(longest: number, read: (item: Field) => Item): Item[] {
    if (!Array.isArray(this.value)) fail(this.name, this.value, 'is no list', 'a list');
    if (this.value.length > longest) {
      fail(this.name, this.value.length, 'has too many entries', `at most ${longest}`);
    }
    return this.value.map((item, index) => read(new Field(`${this.name}[${index}]`, item)));
  }

  string(longest: number): string {
    const { value } = this;
    if (typeof value !== 'string' || value.length === 0 || value.length > longest) {
      fail(this.name, value, 'is no text', `a text of 1 to ${longest} characters`);
    }
    return value;
  }

  integer(least: number, most: number): number {
    const { value } = this;
    if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most) {
      fail(this.name, value, 'is out of range', `a whole number from ${least} to ${most}`);
    }
    return value;
  }

  boolean(): boolean {
    if (typeof this.value !== 'boolean') fail(this.name, this.value, 'is no boolean', 'true or false');
    return this.value;
  }

  oneOf<const Value extends string | number>(values: readonly Value[]): Value {
    const found = values.find((value) => value === this.value);
    if (found === undefined) fail(this.name, this.value, 'is not known', `one of ${values.join(', ')}`);
    return found;
  }

  /** An address in canonical text. */
  address(): string {
    const text = this.string(64);
    if (parseAddress(text) !== text) fail(this.name, text, 'is no address', 'canonical text (RFC 5952)');
    return text;
  }

  cidr(): string {
    const text = this.string(64);
    if (parseCidr(text) === null) fail(this.name, text, 'is no address range', 'such as 10.0.0.0/8');
    return text;
  }

  #path(name: string): string {
    return this.name === '' ? name : `${this.name}.${name}`;
  }
}
