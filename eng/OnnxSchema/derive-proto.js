// Derives onnx.proto from npm's onnx-proto, which publishes the ONNX schema as protobufjs code alone.
// Usage: node derive-proto.js <folder of onnx-proto> <file to write>
//
// Nothing is read out of the source text. The generated encoders are run, one field at a time, against a writer that
// records what they write: the tag gives number and wire type, the writer's method the type, a nested encoder the
// message. What the recording cannot account for is an error, so a new version of the package cannot slip by.
'use strict';

const fs = require('fs');
const path = require('path');

const [packageFolder, destination] = process.argv.slice(2);
if (!packageFolder || !destination) {
  console.error('usage: node derive-proto.js <folder of onnx-proto> <file to write>');
  process.exit(2);
}

const { version } = require(path.join(packageFolder, 'package.json'));
const { onnx } = require(packageFolder);

const wireTypes = { int32: 0, int64: 0, uint32: 0, uint64: 0, bool: 0, double: 1, float: 5, string: 2, bytes: 2 };
const messages = new Map(); // full name -> { type, fields, nested, enums }
const fail = (text) => { throw new Error(`onnx-proto ${version}: ${text}`); };
const snakeCase = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

const isEnum = (value) => value !== null && typeof value === 'object'
  && Object.keys(value).length > 0 && Object.values(value).every(Number.isInteger);
const isMessage = (value) => typeof value === 'function' && typeof value.encode === 'function';

// A scope is the root namespace or a message: the messages and enums declared in it.
function collect(scope, prefix) {
  const found = { nested: [], enums: [] };
  for (const [name, value] of Object.entries(scope)) {
    const fullName = prefix + name;
    if (isMessage(value)) {
      const message = { name, fullName, type: value, fields: [], ...collect(value, `${fullName}.`) };
      messages.set(fullName, message);
      found.nested.push(message);
    } else if (isEnum(value)) {
      found.enums.push({ name, fullName, values: value });
    } else if (typeof value !== 'function') {
      fail(`'${fullName}' is neither a message nor an enum`);
    }
  }
  return found;
}

const root = collect(onnx, '');
const allEnums = [...root.enums, ...[...messages.values()].flatMap((message) => message.enums)];

// Nested encoders are reached through the namespace, so replacing them lets the recording see which one was called.
const originalEncoders = new Map([...messages].map(([name, message]) => [name, message.type.encode]));
for (const [name, message] of messages) {
  message.type.encode = (value, writer) => { writer.log.push(['message', name]); return writer; };
}

function recorder() {
  const writer = { log: [] };
  for (const method of [...Object.keys(wireTypes), 'fork', 'ldelim']) {
    writer[method] = (value) => { writer.log.push([method, value]); return writer; };
  }
  return writer;
}

function enumOf(message, field) {
  const candidates = allEnums.filter(({ values }) =>
    Object.entries(values).every(([name, number]) => message.type.fromObject({ [field]: name })[field] === number));
  // A plain int32 turns every name into 0, which an enum of the value 0 alone would too.
  const real = candidates.filter(({ values }) => Object.values(values).some((number) => number !== 0));
  if (real.length > 1) fail(`'${message.fullName}.${field}' fits several enums`);
  return real[0];
}

function describe(message, name) {
  const isRepeated = Array.isArray(new message.type()[name]);
  const probe = {};
  const instance = Object.assign(Object.create(message.type.prototype), { [name]: isRepeated ? [probe] : probe });
  // The constructor's own empty arrays are not there; the prototype's are, and write nothing.
  const writer = recorder();
  originalEncoders.get(message.fullName)(instance, writer);
  const [[first, tag], ...rest] = writer.log;
  if (first !== 'uint32') fail(`'${message.fullName}.${name}' does not begin with a tag`);
  const field = { name: snakeCase(name), number: tag >>> 3, isRepeated };
  const methods = rest.map(([method]) => method).join(' ');
  const wire = tag & 7;
  if (methods === 'fork message ldelim') {
    field.type = `.onnx.${rest[1][1]}`;
    if (wire !== 2) fail(`'${message.fullName}.${name}' has the wire type ${wire}`);
  } else {
    const match = /^(?:(fork) (\w+) ldelim|(\w+))$/.exec(methods);
    const scalar = match && (match[2] || match[3]);
    if (!scalar || !(scalar in wireTypes)) fail(`'${message.fullName}.${name}' is written as '${methods}'`);
    field.isPacked = Boolean(match[1]);
    if (wire !== (field.isPacked ? 2 : wireTypes[scalar])) fail(`'${message.fullName}.${name}' has the wire type ${wire}`);
    const itsEnum = scalar === 'int32' && !isRepeated ? enumOf(message, name) : undefined;
    field.type = itsEnum ? `.onnx.${itsEnum.fullName}` : scalar;
    if (isRepeated && wireTypes[scalar] !== 2 && !field.isPacked) field.options = ' [packed = false]';
  }
  return field;
}

for (const message of messages.values()) {
  const { prototype } = message.type;
  const names = Object.keys(prototype).filter((name) => typeof prototype[name] !== 'function');
  const byName = new Map(names.map((name) => [name, describe(message, name)]));
  // A oneof is a property that names its member which is set.
  const accessors = Object.entries(Object.getOwnPropertyDescriptors(prototype)).filter(([, descriptor]) => descriptor.get);
  for (const [oneof, { get }] of accessors) {
    for (const [name, field] of byName) {
      if (get.call({ [name]: 1 }) === name) field.oneof = snakeCase(oneof);
    }
  }
  message.fields = [...byName.values()].sort((a, b) => a.number - b.number);
  if (message.fields.length === 0) fail(`'${message.fullName}' has no fields`);
}

function writeEnum({ name, values }, indent) {
  const lines = Object.entries(values).map(([value, number]) => `${indent}  ${value} = ${number};`);
  return [`${indent}enum ${name} {`, ...lines, `${indent}}`];
}

function writeField(field, indent) {
  // An encoder writes every single field that is set, also one set to its default: explicit presence.
  const rule = field.isRepeated ? 'repeated ' : field.oneof || field.type.startsWith('.onnx.') && messages.has(field.type.slice(6)) ? '' : 'optional ';
  return `${indent}${rule}${field.type} ${field.name} = ${field.number}${field.options || ''};`;
}

function writeMessage(message, indent) {
  const inner = `${indent}  `;
  const lines = [`${indent}message ${message.name} {`];
  for (const nested of message.enums) lines.push(...writeEnum(nested, inner));
  for (const nested of message.nested) lines.push(...writeMessage(nested, inner));
  const oneofs = [...new Set(message.fields.map((field) => field.oneof).filter(Boolean))];
  for (const oneof of oneofs) {
    const members = message.fields.filter((field) => field.oneof === oneof);
    lines.push(`${inner}oneof ${oneof} {`, ...members.map((field) => writeField(field, `${inner}  `)), `${inner}}`);
  }
  lines.push(...message.fields.filter((field) => !field.oneof).map((field) => writeField(field, inner)), `${indent}}`);
  return lines;
}

const lines = [
  `// Derived from npm's onnx-proto ${version} by eng/OnnxSchema/derive-proto.js; do not edit.`,
  'syntax = "proto3";',
  'package onnx;',
  'option csharp_namespace = "Ulmfit.Onnx.Schema";',
  '',
  ...root.enums.flatMap((value) => writeEnum(value, '')),
  ...root.nested.flatMap((message) => writeMessage(message, '')),
  '',
];
fs.mkdirSync(path.dirname(destination), { recursive: true });
fs.writeFileSync(destination, lines.join('\n'));
