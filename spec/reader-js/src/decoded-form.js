/** The decoded form of a study (spec/decoded-form.md), by which readers are compared. */
import { float32Bytes, toHex, viewOf } from "./bytes.js";

function mapValue(node) {
  switch (node.type) {
    case "map": return { map: node.value.map(([key, value]) => [key, mapValue(value)]) };
    case "array": return node.value.map(mapValue);
    case "bytes": return { bytes: toHex(node.value) };
    case "float": {
      const bytes = new Uint8Array(8);
      viewOf(bytes).setFloat64(0, node.value);
      return { f64: toHex(bytes) };
    }
    default: return node.value;
  }
}

/** Arrays of bytes and of f32 become hexadecimal, and `likeThis` becomes `like_this`. */
function written(value) {
  if (value instanceof Uint8Array) return toHex(value);
  if (value instanceof Float32Array) return toHex(float32Bytes(value));
  if (Array.isArray(value)) return value.map(written);
  if (typeof value !== "object" || value === null) return value;
  const nameOf = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [nameOf(name), written(member)]));
}

const f32 = (value) => Float32Array.of(value);

/** A value for JSON.stringify: the members of a study, what it has for the reader left out. */
export function decodedForm({ provenanceNodes, decodedBytes, streamCount, wordAttention, extensions, ...study }) {
  return written({
    ...study,
    views: study.views.map((view) => ({
      ...view,
      patchHeight: f32(view.patchHeight),
      patchWidth: f32(view.patchWidth),
      scoreStep: f32(view.scoreStep),
    })),
    labels: study.labels.map(([name, value]) => [name, f32(value)]),
    provenance: { method: mapValue(provenanceNodes.method), source: mapValue(provenanceNodes.source) },
    ...(wordAttention && { wordAttention: { ...wordAttention, step: f32(wordAttention.step) } }),
    extensions,
  });
}
