/** The decoded form of a study (spec/decoded-form.md), by which readers are compared. */
import { float32Bytes, toHex, viewOf } from "./bytes.js";

const f32s = (values) => toHex(float32Bytes(values));
const f32 = (value) => f32s([value]);

function mapValue({ type, value }) {
  if (type === "map") return { map: value.map(([key, member]) => [key, mapValue(member)]) };
  if (type === "array") return value.map(mapValue);
  if (type === "bytes") return { bytes: toHex(value) };
  if (type !== "float") return value;
  const bytes = new Uint8Array(8);
  viewOf(bytes).setFloat64(0, value);
  return { f64: toHex(bytes) };
}

/** A value for JSON.stringify. */
export function decodedForm(study) {
  const { patches, conceptVectors, pixels, wordAttention: words } = study;
  return {
    id: study.id,
    digest: toHex(study.digest),
    views: study.views.map(({ patchHeight, patchWidth, scoreStep, position, attention, ...size }) => ({
      ...size,
      patch_height: f32(patchHeight),
      patch_width: f32(patchWidth),
      score_step: f32(scoreStep),
      position,
      attention: f32s(attention),
    })),
    patches: { ...patches, score: f32s(patches.score), embedding: f32s(patches.embedding) },
    edges: study.edges,
    concepts: study.concepts,
    mentions: study.mentions,
    concept_vectors: { ...conceptVectors, values: f32s(conceptVectors.values) },
    triples: study.triples,
    fusion: study.fusion,
    labels: study.labels.map(([name, value]) => [name, f32(value)]),
    provenance: { method: mapValue(study.provenanceNodes.method), source: mapValue(study.provenanceNodes.source) },
    report: study.report,
    pixels: pixels && {
      height: pixels.height,
      width: pixels.width,
      bytes_per_pixel: pixels.bytesPerPixel,
      values: toHex(pixels.values),
    },
    ...(words && { word_attention: { ...words, step: f32(words.step), attention: f32s(words.attention) } }),
    extensions: study.extensions.map(({ name, payload }) => ({ name, payload: toHex(payload) })),
  };
}
