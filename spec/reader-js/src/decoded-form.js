/** The decoded form of a study (spec/decoded-form.md), by which readers are compared. */
import { float32Bytes, toHex, viewOf } from "./bytes.js";

const f32 = (value) => toHex(float32Bytes([value]));
const f32s = (values) => toHex(float32Bytes(values));

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

/** A value for JSON.stringify. */
export function decodedForm(study) {
  return {
    id: study.id,
    digest: toHex(study.digest),
    views: study.views.map((view) => ({
      rows: view.rows,
      cols: view.cols,
      height: view.height,
      width: view.width,
      patch_height: f32(view.patchHeight),
      patch_width: f32(view.patchWidth),
      score_step: f32(view.scoreStep),
      position: view.position,
      attention: f32s(view.attention),
    })),
    patches: {
      count: study.patches.count,
      width: study.patches.width,
      view: study.patches.view,
      row: study.patches.row,
      col: study.patches.col,
      score: f32s(study.patches.score),
      embedding: f32s(study.patches.embedding),
    },
    edges: study.edges,
    concepts: study.concepts,
    mentions: study.mentions,
    concept_vectors: {
      count: study.conceptVectors.count,
      width: study.conceptVectors.width,
      values: f32s(study.conceptVectors.values),
    },
    triples: study.triples,
    fusion: study.fusion,
    labels: study.labels.map(([name, value]) => [name, f32(value)]),
    provenance: { method: mapValue(study.provenanceNodes.method), source: mapValue(study.provenanceNodes.source) },
    report: study.report,
    pixels:
      study.pixels === null
        ? null
        : {
            height: study.pixels.height,
            width: study.pixels.width,
            bytes_per_pixel: study.pixels.bytesPerPixel,
            values: toHex(study.pixels.values),
          },
    ...(study.wordAttention === null
      ? {}
      : {
          word_attention: {
            spans: study.wordAttention.spans,
            step: f32(study.wordAttention.step),
            attention: f32s(study.wordAttention.attention),
          },
        }),
    extensions: study.extensions.map(({ name, payload }) => ({ name, payload: toHex(payload) })),
  };
}
